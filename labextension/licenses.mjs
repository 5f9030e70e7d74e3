/**
 * Tell the licences of what is shipped without passing the bundler.
 *
 * Mermaid's file is shipped as its authors have bundled it, with the packages that it needs in it, of
 * which the builder sees nothing. They join `third-party-licenses.json`, which JupyterLab shows.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LIST = '../jupyter_stop_chat/labextension/static/third-party-licenses.json';
const SHIPPED_WHOLE = 'mermaid';
const LAST_PART = /^## Licen[cs]e[^]*$/im;

/** Return the folder of a package, as one that stands in `from` finds it. */
function find(name, from) {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) {
      return folder;
    }
    if (at === dirname(at)) {
      throw new Error(`${name}, which ${from} needs, is not installed`);
    }
  }
}

/** Return a package's licence: its name and its text, which some have in their README alone. */
function licence(folder, named) {
  const read = pattern =>
    readdirSync(folder)
      .filter(file => pattern.test(file))
      .sort()
      .map(file => readFileSync(join(folder, file), 'utf8'))
      .join('\n');
  const [words] = [read(/^(licen[cs]e|copying)/i), ...read(/^readme/i).match(LAST_PART) ?? []].filter(
    Boolean
  );
  const id = named ?? (/^(The )?MIT License/.test(words) ? 'MIT' : undefined);
  if (!id || !words) {
    throw new Error(`the licence of ${folder} is not known`);
  }
  return { licenseId: id, extractedText: words };
}

const told = JSON.parse(readFileSync(LIST, 'utf8'));
const known = new Set(told.packages.map(one => `${one.name}@${one.versionInfo}`));

/** Add what a package needs, and what that needs in its turn. */
function add(folder) {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies ?? {})) {
    // Types are no code, and in no bundle.
    if (name.startsWith('@types/')) {
      continue;
    }
    const needed = find(name, folder);
    const { version, license } = JSON.parse(readFileSync(join(needed, 'package.json'), 'utf8'));
    if (!known.has(`${name}@${version}`)) {
      known.add(`${name}@${version}`);
      told.packages.push({
        name,
        versionInfo: version,
        ...licence(needed, license)
      });
      add(needed);
    }
  }
}

add(find(SHIPPED_WHOLE, process.cwd()));
told.packages.sort((one, other) => (one.name < other.name ? -1 : 1));
writeFileSync(LIST, JSON.stringify(told, null, 2));
