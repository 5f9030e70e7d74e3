/** What can be done about a failed reply, besides trying again. */
import React, { useEffect } from "react";

import { useModels, useTools } from "../context";
import { askForKey } from "../models/keys";
import { COMPATIBLE } from "../../stores/modelChoice";
import { openPicker } from "../models/modelName";
import { passFocusInside } from "../passFocus";
import { ErrorInfo } from "../../wire/protocol";

const KEY = new Set(["missing_key", "key_refused", "forbidden", "invalid_key"]);
const NO_MONEY = "quota_exceeded";
const ADDRESS = new Set(["wrong_address"]);
const CHOOSE = new Set([
  "no_model",
  "unknown_model",
  "model_not_found",
  "model_not_allowed",
  "missing_package",
  "context_too_long",
  "local_model_memory",
  "unstoppable_model",
  NO_MONEY,
  "provider_memory",
  ...ADDRESS,
  ...KEY,
]);

export function NextStep(props: {
  error: ErrorInfo | undefined;
  model: string | undefined;
}): JSX.Element | null {
  const tools = useTools();
  const { models, trans } = tools;
  const { list, local } = useModels();
  const { error } = props;
  const code = error?.code ?? "";
  const asks = list === null && (code === NO_MONEY || KEY.has(code));
  useEffect(() => {
    if (asks) {
      void models.load();
    }
  }, [asks, models]);
  if (code === "local_model_missing") {
    return local?.state === "installed" ? null : (
      <button
        type="button"
        className="jp-StopChat-action"
        onClick={(event) => openPicker(event.currentTarget)}
      >
        {trans.__("Install it, or choose another model")}
      </button>
    );
  }
  if (!CHOOSE.has(code)) {
    return null;
  }
  const name = props.model?.split(":")[0];
  const provider = models.providerOf(props.model);
  const gives = KEY.has(code) || (ADDRESS.has(code) && name === COMPATIBLE);
  const wantsKey = gives && (list === null || provider?.may_give);
  return (
    <>
      {code === NO_MONEY && provider?.account_url && (
        <a
          className="jp-StopChat-action"
          href={provider.account_url}
          target="_blank"
          rel="noopener noreferrer"
        >
          {trans.__("Add credit at %1", provider.label)}
        </a>
      )}
      {wantsKey && (
        <button
          type="button"
          className="jp-StopChat-action"
          onClick={(event) => {
            const button = event.currentTarget;
            void (async () => {
              await models.load();
              const known = models
                .getSnapshot()
                .list?.providers.find((one) => one.name === name);
              if (known?.may_give) {
                await askForKey(tools, known);
                passFocusInside();
              } else {
                openPicker(button);
              }
            })();
          }}
        >
          {ADDRESS.has(code)
            ? trans.__("Change the address")
            : code === "missing_key"
              ? trans.__("Add a key")
              : trans.__("Change the key")}
        </button>
      )}
      {!list?.locked && (
        <button
          type="button"
          className="jp-StopChat-action"
          onClick={(event) => openPicker(event.currentTarget)}
        >
          {trans.__("Choose another model")}
        </button>
      )}
    </>
  );
}
