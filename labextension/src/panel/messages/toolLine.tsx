/** One tool call of a reply: its name and state, and what it was asked and said, folded in. */
import React from 'react';

import { useTools } from '../context';
import { LongText } from '../longText';
import { ToolCall } from '../../wire/protocol';

export function ToolLine(props: { tool: ToolCall }): JSX.Element {
  const { trans } = useTools();
  const { tool } = props;
  const words = {
    running: trans.__('running'),
    completed: trans.__('done'),
    failed: trans.__('failed'),
    interrupted: trans.__('stopped')
  };
  const line = (
    <>
      <code>{tool.name}</code> {words[tool.state]}
    </>
  );
  if (!tool.args && !tool.result) {
    return (
      <div className="jp-StopChat-tool" data-state={tool.state}>
        {line}
      </div>
    );
  }
  return (
    <details className="jp-StopChat-tool" data-state={tool.state}>
      <summary>{line}</summary>
      {tool.args && <LongText name={trans.__('Arguments')} text={tool.args} />}
      {tool.result && <LongText name={trans.__('Result')} text={tool.result} />}
    </details>
  );
}
