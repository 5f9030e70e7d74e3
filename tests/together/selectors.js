// The selectors of the chat's own style sheets, and the names that they give to all of a page.
() => {
  const own = [...document.styleSheets].filter(sheet =>
    [...sheet.cssRules].some(rule => rule.cssText.includes('.jp-StopChat-')));
  const selectors = [];
  const names = [];
  const read = rules => {
    for (const rule of rules) {
      if (rule instanceof CSSKeyframesRule) {
        names.push(rule.name);
      } else if (rule instanceof CSSStyleRule) {
        selectors.push(rule.selectorText);
      } else if (rule.cssRules) {
        read(rule.cssRules);
      }
    }
  };
  own.forEach(sheet => read(sheet.cssRules));
  return { sheets: own.length, selectors, names };
}
