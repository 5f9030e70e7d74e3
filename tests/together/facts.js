// What a page of JupyterLab has that an extension could take from another, or change.
async () => {
  const { commands, shell } = window.jupyterapp;
  // A person's picture has another colour on each page.
  const passed = '.jp-UserInfo-Icon, .jp-MenuBar-anonymousIcon';
  const ours = '[class*="jp-StopChat"], [id*="stop-chat"], [data-id*="stop-chat"]';
  const looked = ['color', 'backgroundColor', 'backgroundImage', 'fontFamily', 'fontSize',
    'fontWeight', 'lineHeight', 'letterSpacing', 'textAlign', 'textDecorationLine', 'whiteSpace',
    'padding', 'margin', 'borderTopWidth', 'borderTopStyle', 'borderTopColor', 'borderRadius',
    'boxShadow', 'boxSizing', 'display', 'position', 'flexDirection', 'overflowX', 'cursor',
    'fill', 'outlineStyle', 'userSelect', 'listStyleType'];
  const named = node => node.tagName.toLowerCase() +
    [...node.classList].sort().map(name => `.${name}`).join('');
  const styles = {};
  const look = (where, root) => {
    const walk = (node, path) => {
      if (node.matches(`${ours}, ${passed}`)) {
        return;
      }
      const here = `${path} > ${named(node)}`;
      const style = getComputedStyle(node);
      const told = looked.map(name => `${name}: ${style[name]}`).join('; ');
      if (!(styles[here] ??= []).includes(told)) {
        styles[here].push(told);
      }
      for (const child of node.children) {
        walk(child, here);
      }
    };
    walk(root, where);
  };
  const places = [];
  for (const area of ['left', 'right']) {
    for (const widget of [...shell.widgets(area)]) {
      if (!widget.node.matches(ours) && !/stop-chat/.test(widget.id)) {
        shell.activateById(widget.id);
        await new Promise(done => setTimeout(done, 300));
        places.push(widget.id);
        look(widget.id, widget.node);
      }
    }
  }
  shell.collapseRight();
  for (const id of ['jp-top-panel', 'jp-main-dock-panel', 'jp-bottom-panel', 'jp-menu-panel']) {
    const node = document.getElementById(id);
    if (node) {
      look(id, node);
    }
  }
  const keys = commands.keyBindings.map(
    ({ command, keys, selector, args }) => ({ command, keys: [...keys], selector, args }));
  return { places, styles, keys };
}
