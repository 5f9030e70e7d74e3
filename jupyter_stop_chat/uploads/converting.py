"""The process that reads one document: its bytes from the standard input, its words to the output.

It is run by its path, and knows nothing of the package.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

#: How it ends where what reads documents is not installed, and where this one cannot be read.
MISSING, FAILED = 3, 4
#: What reads a document, by the end of its name.
READERS = {
    ".pdf": "PdfConverter",
    ".docx": "DocxConverter",
    ".pptx": "PptxConverter",
    ".xlsx": "XlsxConverter",
}


def main(suffix: str, most: int, memory: int) -> int:
    """Write the beginning of a document's words, and how much is left out.

    :param suffix: the end of the file's name.
    :param most: so many characters are written.
    :param memory: so many bytes may be used, where the system keeps to that.
    :returns: how to end.
    """
    try:
        import resource
    except ImportError:  # Windows
        pass
    else:
        with contextlib.suppress(ValueError, OSError):  # it has less already
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    answer, sys.stdout = sys.stdout, sys.stderr  # its libraries may print
    try:
        from markitdown import MissingDependencyException, StreamInfo, converters
    except ImportError:
        return MISSING
    raw = sys.stdin.buffer.read()
    try:
        # By its name alone: others of its readers take any bytes for text, or fetch links.
        reader = getattr(converters, READERS[suffix])()
        text = reader.convert(io.BytesIO(raw), StreamInfo(extension=suffix)).markdown or ""
    except MissingDependencyException:
        return MISSING
    except BaseException:  # noqa: BLE001 - of any of many libraries; its words may tell of paths
        return FAILED
    left_out = max(0, len(text) - most)
    json.dump({"text": text[:most], "left_out": left_out}, answer)
    answer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
