// Put each text on the page in three ways, and tell what of it is more than words and pictures.
async texts => {
  const chat = window.jupyterapp.pluginRegistry._plugins.get('jupyter-stop-chat:plugin').service;
  const list = document.querySelector('.jp-StopChat-list > div');
  const timer = window.setTimeout; // the pauses between renders are not what is tried
  window.setTimeout = (what, ms, ...more) => timer(what, ms > 40 && ms < 400 ? 0 : ms, ...more);
  const found = [];
  const look = (name, way, host) => {
    const say = what => found.push(`${name}, ${way}: ${what}`);
    for (const node of host.querySelectorAll('.jp-StopChat-block *')) {
      const tag = node.tagName.toLowerCase();
      const known = tag === 'input' && node.type === 'checkbox' && node.disabled;
      const ours = node.closest('.jp-StopChat-codeTools, .jp-StopChat-remoteImage');
      if (ours && node.closest('.jp-StopChat-code, .jp-StopChat-block') === null) {
        say(`${tag} poses as ours`);
      }
      if (!ours && !known && /^(script|style|link|meta|base|iframe|frame|frameset|object|embed|form|input|button|select|textarea|portal|template|audio|video|source|track|area|map|canvas)$/.test(tag)) {
        say(tag);
      }
      if (!ours && node.namespaceURI === 'http://www.w3.org/2000/svg') {
        say(`svg ${tag}`);
      }
      for (const {name: attribute, value} of node.attributes) {
        if (/^on|^(srcset|poster|background|action|formaction|ping|download|accesskey|id|name|autofocus|usemap)$/i.test(attribute)) {
          say(`${tag} ${attribute}=${value}`);
        }
        if (/^(src|href|xlink:href)$/.test(attribute) && tag !== 'a' && !value.startsWith('data:image/')) {
          say(`${tag} ${attribute}=${value}`);
        }
        if (/^data-(commandlinker|action)/.test(attribute) && !ours) {
          say(`${tag} ${attribute}`);
        }
        if (attribute === 'style' && /url|position|z-index|inset/.test(value) && !node.closest('mjx-container')) {
          say(`${tag} style=${value}`);
        }
        if (attribute === 'class' && /(^| )(jp-Dialog|lm-|jp-StopChat-(button|stop))/.test(value)) {
          say(`${tag} class=${value}`);
        }
      }
      if (getComputedStyle(node).position === 'fixed') {
        say(`${tag} is fixed`);
      }
      if (tag === 'a' && node.getAttribute('href') !== null) {
        const inside = node.getAttribute('href').startsWith('#');
        if (!/^(https?|mailto|ftp|tel):$/.test(node.protocol)) {
          say(`link to ${node.href}`);
        }
        if (!inside && (node.target !== '_blank' || !/\bnoopener\b/.test(node.rel) || /(^| )opener/.test(node.rel))) {
          say(`link ${node.outerHTML}`);
        }
      }
    }
  };
  for (const [name, text] of Object.entries(texts)) {
    for (const way of ['streamed', 'stopped', 'whole']) {
      const host = document.createElement('div');
      host.className = 'jp-StopChat-body';
      list.append(host);
      const body = chat.textIn(host);
      if (way !== 'whole') {
        // What is stopped has grown as what is streamed has: its last piece is enough.
        const last = Math.floor((text.length - 1) / 11) * 11;
        for (let at = way === 'stopped' ? Math.max(last, 11) : 11; at < text.length; at += 11) {
          body.update(text.slice(0, at), false);
          await body.settled;
          look(name, `${way} to ${at}`, host);
        }
      }
      body.update(text, true, way === 'stopped');
      await body.settled;
      look(name, way, host);
      await fetch(document.baseURI.split('/lab')[0] + '/api'); // what came before has been asked for
      body.dispose();
      host.remove();
    }
  }
  window.setTimeout = timer;
  return found;
}
