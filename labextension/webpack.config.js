/** Mermaid is no part of the page's own code: its file is shipped as it is, and read as text. */
module.exports = {
  module: { rules: [{ test: /mermaid\.min\.js$/, type: 'asset/resource' }] }
};
