/** What a call was asked and changed, whole: read from the server when it is looked at. */
import { useEffect, useState } from 'react';

import { useTools } from '../../context';
import { CallDetails } from '../../../stores/agent/toolRoutes';

export type Details = CallDetails | 'loading' | 'failed' | null;

/**
 * @param wanted it is looked at.
 * @param version another one is read anew.
 */
export function useDetails(
  messageId: string,
  callId: string,
  wanted: boolean,
  version: string
): [Details, () => void] {
  const { agent } = useTools();
  const [details, setDetails] = useState<Details>(wanted ? 'loading' : null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (!wanted) {
      return undefined;
    }
    let isCurrent = true;
    setDetails(before => before ?? 'loading');
    agent.calls(messageId).then(
      calls => isCurrent && setDetails(calls.find(one => one.call_id === callId) ?? null),
      () => isCurrent && setDetails('failed')
    );
    return () => {
      isCurrent = false;
    };
  }, [agent, messageId, callId, wanted, version, tries]);
  return [details, () => setTries(tries + 1)];
}
