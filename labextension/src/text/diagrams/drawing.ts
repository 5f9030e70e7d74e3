/**
 * A drawing of which only what is known to be harmless is left.
 *
 * As a picture in a page it loads nothing, whatever is in it. But a picture can be opened in a tab
 * of its own, saved, and dragged into a document, and there it would fetch what it names. So it
 * is made anew from a list of what may be in it: no address is.
 */

const SVG = 'http://www.w3.org/2000/svg';
const XHTML = 'http://www.w3.org/1999/xhtml';
const MATHML = 'http://www.w3.org/1998/Math/MathML';

/** The elements that may be in a drawing, by their namespace. */
const ELEMENTS: Record<string, ReadonlySet<string>> = {
  [SVG]: words(`
    svg g defs symbol use marker path rect circle ellipse line polyline polygon text tspan title
    desc style foreignObject linearGradient radialGradient stop clipPath mask pattern image filter
    feDropShadow feGaussianBlur feOffset feFlood feBlend feComposite feMerge feMergeNode
    feColorMatrix feComponentTransfer feFuncR feFuncG feFuncB feFuncA feMorphology`),
  [XHTML]: words(`
    div span p br hr b strong i em u s del ins sub sup small mark code pre kbd blockquote ul ol li
    table thead tbody tr th td h1 h2 h3 h4 h5 h6`),
  [MATHML]: words(`
    math semantics mrow mi mo mn ms mtext mfrac msup msub msubsup mover munder munderover msqrt
    mroot mtable mtr mtd mspace mpadded mstyle mphantom menclose mmultiscripts mprescripts`)
};
/** Whose words stay, without what they lead to. */
const UNWRAPPED = words('a switch');

const ATTRIBUTES = words(`
  class viewBox preserveAspectRatio x y x1 y1 x2 y2 dx dy cx cy r rx ry fx fy width height
  d points transform rotate textLength lengthAdjust pathLength offset gradientUnits
  gradientTransform spreadMethod clipPathUnits maskUnits maskContentUnits patternUnits
  patternContentUnits patternTransform filterUnits primitiveUnits markerWidth markerHeight
  markerUnits refX refY orient role in in2 result stdDeviation mode operator type values radius
  k1 k2 k3 k4 tableValues slope intercept amplitude exponent colspan rowspan start
  displaystyle scriptlevel mathvariant stretchy fence separator lspace rspace columnalign rowalign
  columnspacing rowspacing linethickness accent accentunder minsize maxsize notation voffset depth`);
const ARIA = /^aria-(?:label|roledescription|hidden|level)$/;

/** The declarations that may be in a drawing, as an attribute or in its style. */
const PROPERTIES = new RegExp(
  `^(?:${[
    ...['fill', 'stroke', 'font', 'text', 'margin', 'padding', 'flex', 'animation'].map(
      name => `${name}(?:-[a-z-]+)?`
    ),
    'border(?!-image)(?:-[a-z-]+)?',
    '(?:stop|flood|lighting)-(?:color|opacity)',
    'color(?:-interpolation(?:-filters)?)?',
    '(?:dominant|alignment)-baseline|baseline-shift|vertical-align|writing-mode|direction',
    '(?:letter|word)-spacing|line-height|tab-size|white-space(?:-collapse)?',
    'word-(?:break|wrap)|overflow(?:-wrap|-x|-y)?|hyphens',
    '(?:min-|max-)?(?:width|height)|box-sizing|box-shadow|background-color',
    'display|visibility|opacity|position|top|right|bottom|left|float|clear',
    '(?:justify|align)-(?:content|items|self)|(?:row-|column-)?gap|order',
    'transform(?:-origin|-box)?|(?:shape|text|image)-rendering|paint-order|vector-effect',
    'marker(?:-start|-mid|-end)?|clip-path|clip-rule|mask|filter|mix-blend-mode|isolation',
    'c?[xy]|r[xy]?|list-style-type|border-(?:collapse|spacing)|pointer-events'
  ].join('|')})$`
);
/** What a value may call: nothing of it takes an address. */
const FUNCTIONS = words(`
  rgb rgba hsl hsla hwb lab lch oklab oklch color-mix calc min max clamp translate translatex
  translatey scale scalex scaley rotate skewx skewy matrix drop-shadow blur brightness contrast
  grayscale opacity saturate sepia invert hue-rotate cubic-bezier steps linear`);
const FRAGMENT = /^#[\w.:-]+$/;
/** A picture that is in the drawing itself, as those of people in a C4 diagram are. */
const EMBEDDED = /^data:image\/(?:png|jpeg|gif|webp);base64,[\w+/=\s]*$/;

/** Make a drawing anew from what may be in it; null when it is none. */
export function cleanDrawing(given: string): string | null {
  const { documentElement } = new DOMParser().parseFromString(given, 'image/svg+xml');
  if (documentElement.namespaceURI !== SVG || documentElement.localName !== 'svg') {
    return null;
  }
  const made = document.implementation.createDocument(SVG, 'svg');
  copyAttributes(documentElement, made.documentElement);
  copyChildren(documentElement, made.documentElement);
  return new XMLSerializer().serializeToString(made);
}

/** Tell whether a value of a declaration names nothing but what is in the drawing itself. */
export function isHarmless(value: string): boolean {
  // an escape hides what is called; a comment parts a name from its bracket
  const rest = value.replace(/url\((["']?)#[\w.:-]+\1\)/gi, ' ');
  if (/[\\@;{}<]|\/\*|\/\//.test(rest)) {
    return false;
  }
  // before a bracket without a name stands a sum, of `calc` for one
  const called = rest.matchAll(/([^\s(),+*/-][^\s(),]*)?\(/g);
  return [...called].every(([, name]) => !name || FUNCTIONS.has(name.toLowerCase()));
}

function copyChildren(from: Element, to: Element): void {
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE || child.nodeType === Node.CDATA_SECTION_NODE) {
      to.append(child.textContent ?? '');
    } else if (child instanceof Element) {
      copyElement(child, to);
    }
  }
}

function copyElement(from: Element, to: Element): void {
  const { localName, namespaceURI } = from;
  if (UNWRAPPED.has(localName)) {
    const group = to.ownerDocument.createElementNS(
      namespaceURI === SVG ? SVG : XHTML,
      namespaceURI === SVG ? 'g' : 'span'
    );
    copyAttributes(from, group);
    copyChildren(from, group);
    to.append(group);
  } else if (namespaceURI && ELEMENTS[namespaceURI]?.has(localName)) {
    const element = to.ownerDocument.createElementNS(namespaceURI, localName);
    if (localName === 'style') {
      element.textContent = cleanStyle(from.textContent ?? '');
    } else {
      copyAttributes(from, element);
      copyChildren(from, element);
    }
    to.append(element);
  }
}

function copyAttributes(from: Element, to: Element): void {
  for (const { localName, value } of from.attributes) {
    if (localName === 'href') {
      const isHere =
        (to.localName === 'use' && FRAGMENT.test(value)) ||
        (to.localName === 'image' && EMBEDDED.test(value));
      if (isHere) {
        to.setAttribute('href', value);
      }
    } else if (localName === 'style') {
      const style = declarations((from as HTMLElement | SVGElement).style);
      if (style) {
        to.setAttribute('style', style);
      }
    } else if (localName === 'id' || ARIA.test(localName)) {
      to.setAttribute(localName, value);
    } else if ((ATTRIBUTES.has(localName) || PROPERTIES.test(localName)) && isHarmless(value)) {
      to.setAttribute(localName, value);
    }
  }
}

/** Write a style sheet anew from its rules of which each is known. */
function cleanStyle(css: string): string {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css); // what it would import is left out
  return rulesOf(sheet.cssRules);
}

function rulesOf(rules: CSSRuleList): string {
  return [...rules]
    .map(rule => {
      if (rule instanceof CSSStyleRule && !/[<{}]/.test(rule.selectorText)) {
        return `${rule.selectorText}{${declarations(rule.style)}}`;
      }
      if (rule instanceof CSSKeyframesRule && /^[\w-]+$/.test(rule.name)) {
        const steps = [...rule.cssRules] as CSSKeyframeRule[];
        const made = steps.map(step => `${step.keyText}{${declarations(step.style)}}`);
        return `@keyframes ${rule.name}{${made.join('')}}`;
      }
      return '';
    })
    .join('');
}

function declarations(style: CSSStyleDeclaration): string {
  return Array.from(style)
    .map(name => ({
      name,
      value: style.getPropertyValue(name),
      priority: style.getPropertyPriority(name)
    }))
    .filter(({ name, value }) => value && PROPERTIES.test(name) && isHarmless(value))
    .map(({ name, value, priority }) => `${name}:${value}${priority && ` !${priority}`}`)
    .join(';');
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/));
}
