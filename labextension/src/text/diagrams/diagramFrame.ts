/**
 * The place where diagrams are drawn: a page in a page, from which nothing can be fetched.
 *
 * Mermaid puts what it draws into a document, where a style, a picture or a font of it is fetched
 * at once. No list of what to forbid is ever whole, so that document may load nothing: its policy
 * is `default-src 'none'`, it has an origin of its own, and its only script is Mermaid. It lies in
 * a second one, whose policy keeps it from leading itself to another address.
 */

/** What runs in the inner page: it answers each message of its port with a drawing. */
const DRAW = `
addEventListener('error', event => event.preventDefault());
const { port1, port2 } = new MessageChannel();
let turn = Promise.resolve();
let count = 0;
const make = async ({ text, dark, font }) => {
  const place = document.createElement('div');
  place.style.width = '900px';
  document.body.replaceChildren(place);
  mermaid.initialize({
    startOnLoad: false, securityLevel: 'strict', suppressErrorRendering: true,
    maxTextSize: 20000, maxEdges: 250, theme: dark ? 'dark' : 'default', fontFamily: font
  });
  return (await mermaid.render('diagram-' + (count += 1), text, place)).svg;
};
const draw = async given => {
  const { id } = given;
  try {
    const svg = await make(given);
    const template = document.createElement('template');
    template.innerHTML = svg;
    const root = template.content.querySelector('svg');
    const box = (root.getAttribute('viewBox') || '').split(/[\\s,]+/).map(Number);
    root.removeAttribute('width');
    root.removeAttribute('height');
    root.style.maxWidth = '';
    port1.postMessage({
      id, svg: new XMLSerializer().serializeToString(root), width: box[2], height: box[3],
      title: (root.querySelector(':scope > title') || {}).textContent || '',
      description: (root.querySelector(':scope > desc') || {}).textContent || ''
    });
  } catch (error) {
    // what a diagram sets may stay, and break each one that comes after it
    const broken = await make({ ...given, text: 'graph TD; A-->B' }).then(() => false, () => true);
    port1.postMessage({ id, broken });
  }
  document.body.replaceChildren();
};
port1.onmessage = ({ data }) => { turn = turn.then(() => draw(data)); };
parent.parent.postMessage('stop-chat-diagrams', '*', [port2]);
`;

/** Make the frame's element; it loads when it is put into the page. */
export function makeDiagramFrame(mermaid: string): HTMLIFrameElement {
  const nonce = crypto.getRandomValues(new Uint32Array(4)).join('-');
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'unsafe-inline'",
    "base-uri 'none'",
    "form-action 'none'"
  ].join('; ');
  const head = `<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">`;
  const script = (code: string): string =>
    `<script nonce="${nonce}">${code.replace(/<(?=\/script|!--|script)/gi, '\\x3c')}</script>`;
  const inner = `${head}<title>Diagrams</title><body>${script(mermaid)}${script(DRAW)}`;
  const frame = document.createElement('iframe');
  frame.className = 'jp-StopChat-diagramFrame';
  frame.title = 'Diagrams';
  frame.tabIndex = -1;
  frame.inert = true;
  frame.setAttribute('aria-hidden', 'true');
  frame.setAttribute('sandbox', 'allow-scripts');
  frame.referrerPolicy = 'no-referrer';
  const quoted = inner.replace(/&/g, '&amp;').replace(/"/g, '&quot;');
  frame.srcdoc =
    `${head}<style>html,body,iframe{margin:0;border:0;width:1000px;height:800px}</style>` +
    `<iframe sandbox="allow-scripts" referrerpolicy="no-referrer" srcdoc="${quoted}"></iframe>`;
  return frame;
}
