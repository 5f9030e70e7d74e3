"""Markdown of which each would have the page ask `evil.example`: by diagrams, styles, math, HTML."""

# ruff: noqa: E501 - a payload is read best in one line.

from __future__ import annotations

HOST = "evil.example"
_A = f"http://{HOST}/a.png"
#: The address without a slash or a colon that a list of words would find.
_CSS = f"u\\72l(http:\\2f\\2f {HOST}/a.png)"
_HEX = f"\\x3cim\\x67 src=http:\\x2f\\x2f{HOST}/a.png>"


def _diagram(text: str) -> str:
    return f"```mermaid\n{text}\n```\n"


def _styled(css: str) -> str:
    return _diagram(f"graph TD; A-->B\nclassDef x {css}\nclass A x")


_DIAGRAMS = [
    f"---\nconfig:\n  fontFamily: 'x; background-image:{_CSS}'\n---\ngraph TD; A-->B",
    f"---\nconfig:\n  fontFamily: 'x; background-image:url({_A})'\n---\ngraph TD; A-->B",
    f"---\nconfig:\n  themeVariables:\n    fontFamily: 'x;}}*{{background:{_CSS}'\n---\ngraph TD; A-->B",
    f"---\nconfig:\n  themeCSS: '@import {_CSS};'\n---\ngraph TD; A-->B",
    f"---\nconfig:\n  themeCSS: '*{{background-image:{_CSS}}}'\n---\ngraph TD; A-->B",
    f"---\nconfig:\n  themeCSS: '@font-face{{font-family:z;src:{_CSS}}} *{{font-family:z}}'\n---\ngraph TD; A-->B",
    f"---\nconfig:\n  theme: base\n  themeVariables:\n    primaryColor: '{_CSS}'\n---\ngraph TD; A-->B",
    f"---\ntitle: <img src={_A}>\n---\ngraph TD; A-->B",
    f'%%{{init: {{"fontFamily": "x; background-image:u\\\\72l(http:\\\\2f\\\\2f {HOST}/a)"}}}}%%\ngraph TD; A-->B',
    f'%%{{init: {{"themeCSS": "*{{background:u\\\\72l(http:\\\\2f\\\\2f {HOST}/a)}}"}}}}%%\ngraph TD; A-->B',
    f"%%{{init: {{'htmlLabels': true, 'securityLevel': 'loose'}}}}%%\ngraph TD; A[\"<img src='{_A}'>\"]",
    f"%%{{init: {{'flowchart': {{'htmlLabels': true}}}}}}%%\ngraph TD; A[\"<b style='background:url({_A})'>x</b>\"]",
    f"%%{{initialize: {{'logLevel': 'x', 'altFontFamily': 'y;background:url({_A})'}}}}%%\ngraph TD; A-->B",
    f"%%{{init: {{'sequence': {{'actorFontFamily': 'x;background:url({_A})'}}}}}}%%\nsequenceDiagram\nA->>B: x",
    f"---\nconfig:\n  fontFamily: 'x; background-image:{_CSS}'\n---\npie\n \"a\": 1",
    f"%%{{init: {{'fontFamily': 'x; background-image:url({_A})'}}}}%%\npie\n \"a\": 1",
    f'flowchart TD\n  A@{{ img: "{_A}", w: 60, h: 60 }}',
    f'flowchart TD\n  A@{{ "im\\x67": "http:\\x2f\\x2f{HOST}/a.png" }}',
    f"flowchart TD\n  A@{{ 'img': '{_A}', label: x }}\n  A-->B",
    f'flowchart TD\n  A@{{ icon: "{_A}", form: square }}',
    'flowchart TD\n  A@{ icon: "fa:user", form: square }\n  B@{ icon: "logos:aws" }',
    "architecture-beta\n  group api(cloud)[API]\n  service db(logos:aws-aurora)[DB] in api",
    f'graph TD; A["{_HEX}"]',
    f"graph TD; A[\"<img src='{_A}'>\"] -->|\"<img src='{_A}'>\"| B",
    f"graph TD; A[\"&lt;img src='{_A}'&gt;\"]",
    f'graph TD; A["#lt;img src=#quot;{_A}#quot;#gt;"]',
    f'graph TD; A["`![x]({_A})`"]',
    f'graph TD; A["`**x** <img src={_A}>`"]',
    f'graph TD; A["$$\\includegraphics{{{_A}}}$$"]',
    f'graph TD; A["$$\\href{{{_A}}}{{x}} \\htmlStyle{{background:url({_A})}}{{y}}$$"]',
    f"graph TD; A[\"<svg><image href='{_A}'/></svg>\"]",
    f"graph TD; A[\"<link rel=stylesheet href='{_A}'><style>@import '{_A}';</style>\"]",
    f"graph TD; A[\"<meta http-equiv=refresh content='0;url={_A}'>\"]",
    f"graph TD; A[\"<video poster='{_A}'></video><audio src='{_A}' autoplay></audio>\"]",
    f"graph TD; A[\"<iframe src='{_A}'></iframe><object data='{_A}'></object>\"]",
    f"graph TD; A[\"<p style='background:{_CSS}'>x</p>\"]",
    f'graph TD; A-->B\nclick A href "{_A}" _self',
    f'graph TD; A-->B\nclick A "{_A}"\nclick B call canary()',
    f"graph TD; A-->B\nstyle A fill:url({_A})",
    f"graph TD; A-->B\nstyle A background-image:{_CSS}",
    f"graph TD; A-->B\nlinkStyle 0 stroke:url({_A})",
    f"graph TD; A-->B\nlinkStyle 0 marker-end:{_CSS}",
    f"---\nconfig:\n  layout: elk\n  fontFamily: 'x;background:{_CSS}'\n---\ngraph TD; A-->B",
    f"sequenceDiagram\nparticipant A\nlink A: x @ {_A}\nA->>A: <img src='{_A}'>",
    f'sequenceDiagram\nparticipant A\nproperties A: {{"class": "x", "icon": "{_A}"}}\nA->>A: x',
    f"sequenceDiagram\nrect url({_A})\nA->>B: x\nend",
    f'classDiagram\nclass A\nlink A "{_A}"\nnote "<img src=\'{_A}\'>"',
    f"stateDiagram-v2\nA --> B: <img src='{_A}'>\nclassDef x background-image:url({_A})\nclass A x",
    f'gantt\nsection x\ntask :a, 2020-01-01, 1d\nclick a href "{_A}"',
    f"mindmap\n  root((x <img src='{_A}'>))\n    A\n    ::icon(fa fa-book)",
    f'C4Context\nPerson(a, "x", "y", $sprite="{_A}")',
    f"journey\ntitle <img src='{_A}'>\nsection x\n  y: 5: z",
    f"timeline\ntitle x\n2002 : <img src='{_A}'>",
    f"gitGraph\ncommit id: \"<img src='{_A}'>\"",
    f"quadrantChart\ntitle <img src='{_A}'>\nA: [0.3, 0.6] color: url({_A})",
    f"block-beta\n a[\"<img src='{_A}'>\"]\nstyle a fill:url({_A})",
    f"requirementDiagram\nrequirement x {{\nid: 1\ntext: \"<img src='{_A}'>\"\n}}",
    f"erDiagram\nA ||--o{{ B : \"<img src='{_A}'>\"",
    f'kanban\n x["<img src=\'{_A}\'>"]@{{ ticket: "{_A}" }}',
    f"sankey-beta\n\"<img src='{_A}'>\",b,1",
    f"info\n<img src={_A}>",
]

_STYLES = [
    f"fill:url({_A})",
    f"background-image:{_CSS}",
    f"background:image-set('{_A}' 1x)",
    f"cursor:url({_A}),auto",
    f"filter:url({_A}#x)",
    f"mask-image:url({_A})",
    f"content:url({_A})",
    f"fill:red;}}*{{background:{_CSS}",
]

_HTML = [
    f"![x]({_A})",
    f"<img src={_A}>",
    f"<img srcset='{_A} 1x'>",
    f"<picture><source srcset='{_A}'><img></picture>",
    f"<video poster='{_A}'></video>",
    f"<video><source src='{_A}'></video>",
    f"<svg><use href='{_A}#x'/><image xlink:href='{_A}'/><feImage href='{_A}'/></svg>",
    f"<link rel=stylesheet href='{_A}'><link rel=preload as=image href='{_A}'><link rel=prefetch href='{_A}'>",
    f"<link rel=preconnect href='http://{HOST}'><link rel=dns-prefetch href='//{HOST}'>",
    f"<style>@import '{_A}';</style>",
    f"<style>@font-face{{font-family:z;src:url({_A})}}p{{font-family:z}}</style>",
    f"<p style='background:{_CSS}'>x</p>",
    f"<p style=\"background-image:image-set('{_A}' 1x)\">x</p>",
    f"<p style='--x:url({_A});background:var(--x)'>x</p>",
    f"<p style='border-image:url({_A}) 1'>x</p>",
    f"<body background='{_A}'><table background='{_A}'><td>x</table>",
    f"<input type=image src='{_A}'><form action='{_A}'><button autofocus>x</button></form>",
    f"<a href='{_A}' ping='{_A}'>x</a>",
    f"<iframe src='{_A}'></iframe><embed src='{_A}'><object data='{_A}'></object>",
    f"<meta http-equiv=refresh content='0;url={_A}'>",
    f"<math><mglyph src='{_A}'/></math>",
    f"<img src='x' lowsrc='{_A}' longdesc='{_A}' usemap='{_A}'>",
]

_MATH = [
    f"$\\includegraphics{{{_A}}}$",
    f"$\\style{{background-image:url({_A})}}{{x}}$",
    f"$\\style{{background-image:u\\72l({_A})}}{{x}}$ \\(\\style{{content:url({_A})}}{{x}}\\)",
    f"$$\\require{{html}}\\style{{list-style:url({_A})}}{{x}}$$",
    f"$\\require{{{_A}}} x$",
    f"$\\href{{{_A}}}{{x}}$ $\\mmlToken{{mi}}[style='background:url({_A})']{{x}}$",
    f"$\\unicode[url({_A})]{{x41}}$ $\\class{{x}}{{y}}$ $\\mathchoice{{}}{{}}{{}}{{}}$",
    f"\\[\\mmlToken{{mglyph}}[src='{_A}']{{}}\\]",
    f"<math><semantics><annotation-xml encoding='text/html'><img src='{_A}'></annotation-xml></semantics></math>",
]

#: All of them, each a reply.
FETCHING: list[str] = [
    *map(_diagram, _DIAGRAMS),
    *map(_styled, _STYLES),
    *_HTML,
    *_MATH,
    # wherever a diagram may stand
    f"- x\n\n  ```mermaid\n  graph TD; A[\"<img src='{_A}'>\"]\n  ```\n",
    f"> ```mermaid\n> graph TD; A[\"<img src='{_A}'>\"]\n> ```\n",
    f"~~~ mermaid \ngraph TD; A[\"<img src='{_A}'>\"]\n~~~\n",
    f"````mermaid title=x\ngraph TD; A[\"<img src='{_A}'>\"]\n````\n",
    f"```MERMAID\ngraph TD; A[\"<img src='{_A}'>\"]\n```\n",
    f"<pre class=mermaid>graph TD; A[\"&lt;img src='{_A}'&gt;\"]</pre>",
    f"<pre><code class='language-mermaid'>graph TD; A[\"&lt;img src='{_A}'&gt;\"]</code></pre>",
]
