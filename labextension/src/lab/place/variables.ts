/** The variables of a kernel: names, types and shapes, asked for without a trace in the notebook. */
import { ISessionContext } from '@jupyterlab/apputils';
import { Kernel } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';

import { NotGathered } from '../../chat/sending/gathering';

/** How long a kernel may take to answer, in milliseconds. */
const PATIENCE = 3000;
/** So many variables are told. */
const MOST = 200;

/**
 * What Python is asked. No value is told, and nothing of the person's own code is run: a class may
 * have a name, an equality or a shape of its own that does whatever it likes. A shape is asked for
 * only of what is in truth the class of a known package, which it has under its name.
 */
const PYTHON = `
import base64, json, sys, types
hidden = {'In', 'Out', 'exit', 'quit', 'get_ipython', 'open'}
shaped = {'numpy', 'pandas', 'polars', 'scipy', 'torch', 'tensorflow', 'jax', 'jaxlib', 'xarray', 'cupy'}
sized = (list, dict, tuple, set, frozenset, str, bytes)
name_of, module_of = type.__dict__['__name__'].__get__, type.__dict__['__module__'].__get__
def is_told(name, value):
    return (type(name) is str and not name.startswith('_') and name not in hidden
            and type(value) is not types.ModuleType)
def is_shaped(kind, name):
    module = module_of(kind)
    if type(module) is not str or module.split('.')[0] not in shaped:
        return False
    home = sys.modules.get(module)
    has = issubclass(type(home), types.ModuleType) and object.__getattribute__(home, '__dict__')
    return bool(has) and has.get(name) is kind and hasattr(kind, 'shape')
def told(name, value):
    kind = type(value)
    size, word = '', '?'
    try:
        if type(name_of(kind)) is str:
            word = name_of(kind)
        if any(kind is each for each in sized):
            size = 'length %d' % len(value)
        elif is_shaped(kind, word):
            size = 'shape (%s)' % ', '.join(str(int(each)) for each in tuple(value.shape)[:8])
    except Exception:
        pass
    return [name[:100], word[:100], size]
all_ = [each for each in list(user.items()) if is_told(*each)]
rows = [told(*each) for each in all_[-${MOST}:]]
text = base64.b64encode(json.dumps([len(all_), rows]).encode()).decode()
`;

/**
 * The code as one expression, which leaves no name behind, and looks none up: the person may have
 * something of their own by the name of a function of Python's.
 */
const BUILT_IN = `(lambda all_: all_ if all_.__class__.__name__ == 'dict' else all_.__dict__)((lambda: 0).__globals__['__builtins__'])`;
const EXPRESSION = `(lambda has, own: (has['exec'](has['__import__']('base64').b64decode('${btoa(PYTHON)}').decode(), own), own['text'])[1])(${BUILT_IN}, {'user': (lambda: 0).__globals__})`;

/** Tell the variables of a notebook's kernel, one a line. */
export async function variablesOf(
  context: ISessionContext,
  language: string,
  trans: TranslationBundle,
  signal: AbortSignal
): Promise<string> {
  const kernel = context.session?.kernel;
  if (!kernel) {
    throw new NotGathered(trans.__('“@variables” needs a kernel, and this notebook has none.'));
  }
  if (language && language.toLowerCase() !== 'python') {
    throw new NotGathered(
      trans.__('“@variables” knows Python only, and this kernel runs %1.', language)
    );
  }
  if (kernel.status !== 'idle') {
    throw new NotGathered(
      kernel.status === 'busy'
        ? trans.__('The kernel is busy, so its variables cannot be asked for now.')
        : trans.__('The kernel is not ready, so its variables cannot be asked for now.')
    );
  }
  const answer = await ask(kernel, signal, trans);
  const unread = trans.__('The kernel did not tell its variables.');
  try {
    const [count, rows] = JSON.parse(atob(answer)) as [number, [string, string, string][]];
    const lines = rows.map(([name, kind, size]) => `${name}: ${kind}${size && `, ${size}`}`);
    const more = count > rows.length ? [`(and ${count - rows.length} older ones)`] : [];
    return [...lines, ...more].join('\n') || '(none)';
  } catch {
    throw new NotGathered(unread);
  }
}

/** Ask a kernel silently: no history, no output, no number of an execution. */
async function ask(
  kernel: Kernel.IKernelConnection,
  signal: AbortSignal,
  trans: TranslationBundle
): Promise<string> {
  const silence = trans.__('The kernel did not answer, so its variables are not known.');
  let future: ReturnType<typeof kernel.requestExecute> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let give = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    give = () => reject(new NotGathered(silence));
    timer = setTimeout(give, PATIENCE);
    signal.addEventListener('abort', give);
  });
  try {
    future = kernel.requestExecute(
      {
        code: '',
        silent: true,
        store_history: false,
        user_expressions: { variables: EXPRESSION },
        allow_stdin: false,
        stop_on_error: false
      },
      true
    );
    const { content } = await Promise.race([future.done, late]);
    const told = (content as { user_expressions?: Record<string, { data?: Record<string, string> }> })
      .user_expressions?.variables.data?.['text/plain'];
    return (told ?? '').replace(/^'|'$/g, '');
  } catch {
    throw new NotGathered(silence); // also where it ends, or is restarted, meanwhile
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', give); // else it is refused later, and nobody hears of it
    future?.dispose();
  }
}
