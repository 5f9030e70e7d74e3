/**
 * The rooms of the page, and which way an import may go. Types count: what a file must know of
 * another one is the same for both.
 */
const ROOMS = ['wire', 'chat', 'stores', 'text', 'panel', 'lab', 'index'];

const room = name => (name === 'index' ? '^src/index\\.ts$' : `^src/${name}/`);

/** A room imports from those before it in the list. */
const oneWay = ROOMS.slice(0, -1).map((name, at) => ({
  name: `${name}-imports-from-rooms-before-it`,
  severity: 'error',
  from: { path: room(name) },
  to: { path: ROOMS.slice(at + 1).map(room) }
}));

/** Folders side by side in a room: each imports from those before it in its list. */
const SIDE_BY_SIDE = [
  ['chat/sending', 'chat/stop'],
  ['panel/models', 'panel/messages', 'panel/input']
];

const sideBySide = SIDE_BY_SIDE.flatMap(folders =>
  folders.slice(0, -1).map((name, at) => ({
    name: `${name.replace('/', '-')}-imports-from-folders-before-it`,
    severity: 'error',
    from: { path: room(name) },
    to: { path: folders.slice(at + 1).map(room) }
  }))
);

module.exports = {
  forbidden: [
    ...oneWay,
    ...sideBySide,
    {
      name: 'no-circle',
      severity: 'error',
      from: {},
      to: { circular: true }
    },
    {
      name: 'every-file-has-a-room',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: ROOMS.map(room) }
    },
    {
      name: 'the-inside-knows-no-framework',
      comment: 'Each race is tested in milliseconds, without a page.',
      severity: 'error',
      from: { path: [room('wire'), room('chat')] },
      to: { path: ['^(node_modules/)?react', '^(node_modules/)?@(jupyterlab|lumino)/'] }
    },
    {
      name: 'stores-know-no-react',
      severity: 'error',
      from: { path: room('stores') },
      to: { path: '^(node_modules/)?react' }
    },
    {
      name: 'nothing-is-missing',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true }
    },
    {
      name: 'nothing-is-left-over',
      severity: 'error',
      from: { orphan: true },
      to: {}
    }
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types'] }
  }
};
