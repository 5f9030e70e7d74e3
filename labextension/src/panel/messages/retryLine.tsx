/** What is shown while a provider that did not answer is about to be asked again. */
import React, { useEffect, useState } from 'react';

import { useTools } from '../context';
import { Retry } from '../../wire/protocol';

export function RetryLine(props: { retry: Retry }): JSX.Element {
  const { trans } = useTools();
  const { retry } = props;
  const [left, setLeft] = useState(() => Math.ceil(retry.wait_ms / 1000));
  useEffect(() => {
    // counted from when it came: the server's clock may be another
    const end = performance.now() + retry.wait_ms;
    const tick = (): void =>
      setLeft(Math.max(0, Math.ceil((end - performance.now()) / 1000)));
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [retry]);
  const why =
    retry.code === 'rate_limited'
      ? trans.__('The provider asks to wait.')
      : retry.code === 'provider_timeout'
        ? trans.__('The provider took too long.')
        : trans.__('The provider has a problem of its own.');
  return (
    <div className="jp-StopChat-retryLine" data-attempt={retry.attempt}>
      {why} {left > 0 ? trans.__('Trying again in %1 s', left) : trans.__('Trying again…')}
    </div>
  );
}
