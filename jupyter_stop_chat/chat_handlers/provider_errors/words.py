"""What servers call things: the names of errors, and the turns of their sentences.

Collected from OpenAI, Azure, Anthropic, Google, Mistral, Groq, Together, Fireworks, OpenRouter,
xAI, DeepSeek, DashScope, Cohere, Amazon, and from Ollama, llama.cpp, vLLM, SGLang, LM Studio, TGI,
LocalAI, LiteLLM and common web servers.
"""
# ruff: noqa: E501 - a turn of a sentence is read in one line

from __future__ import annotations

import re

from jupyter_stop_chat.wire.errors import ErrorCode

from .answers import plain

_NAMES: dict[ErrorCode, str] = {
    ErrorCode.CONTEXT_TOO_LONG: """
        context_length_exceeded request_too_large exceed_context_size_error
        model_max_prompt_tokens_exceeded tokens_limit_reached ContextWindowExceededError
        max_tokens_exceeded prompt_too_long context_window_exceeded input_too_long""",
    ErrorCode.QUOTA_EXCEEDED: """
        insufficient_quota billing_hard_limit_reached billing_not_active billing_error Arrearage
        insufficient_balance InsufficientBalance exceeded_current_quota_error budget_exceeded
        payment_required insufficient_credits insufficient_funds credit_limit quota_exhausted
        AllocationQuota.FreeTierOnly BillingNotActive ServiceQuotaExceededException
        billing_hard_limit insufficient_credit insufficient_user_quota out_of_credits no_credits
        credit_balance_too_low AccountOverdueError account_deactivated_billing""",
    ErrorCode.PROVIDER_MEMORY: "out_of_memory OutOfMemoryError cuda_out_of_memory",
    ErrorCode.CONTENT_FILTERED: """
        content_filter content_policy_violation ResponsibleAIPolicyViolation
        DataInspectionFailed data_inspection_failed content_filtered""",
    ErrorCode.KEY_REFUSED: """
        invalid_api_key authentication_error unauthenticated unauthorized API_KEY_INVALID
        InvalidApiKey api_key_expired ExpiredTokenException UnrecognizedClientException
        InvalidSignatureException invalid_authentication invalid_authentication_error
        incorrect_api_key_error auth_error token_expired token_not_found_in_db expired_key
        AuthenticationError API_KEY_SERVICE_BLOCKED missing_api_key no_api_key invalid_token""",
    ErrorCode.FORBIDDEN: """
        permission_error permission_denied AccessDenied AccessDeniedException
        unsupported_country_region_territory key_model_access_denied team_model_access_denied
        forbidden AccessDenied.Unpurchased missing_scope""",
    ErrorCode.MODEL_NOT_FOUND: """
        model_not_found DeploymentNotFound invalid_model model_not_available ModelNotFound
        unknown_model ModelNotFoundError model_not_found_error invalid_model_error
        model_not_loaded model_decommissioned""",
    ErrorCode.RATE_LIMITED: """
        rate_limit_exceeded rate_limit_error resource_exhausted Throttling ThrottlingException
        Throttling.RateQuota Throttling.AllocationQuota too_many_requests rate_limit_reached_error
        RateLimitReached rate_limited RateLimitError""",
    ErrorCode.PROVIDER_TIMEOUT: "timeout_error deadline_exceeded request_timeout",
    ErrorCode.PROVIDER_FAILED: """
        overloaded_error api_error server_error internal unavailable internal_server_error
        InternalError service_unavailable ServiceUnavailableException ModelErrorException
        engine_overloaded_error overloaded""",
    ErrorCode.REQUEST_REFUSED: """
        invalid_request_error invalid_argument BadRequestError ValidationException
        invalid_parameter_error""",
}

#: What a server calls an error itself; written as `plain` does.
BY_NAME: dict[str, ErrorCode] = {
    plain(name): code for code, names in _NAMES.items() for name in names.split()
}


def _any_of(*turns: str) -> re.Pattern[str]:
    return re.compile("|".join(turns), re.IGNORECASE | re.DOTALL)


_OVER = (
    r"(?:exceed\w*|(?:longer|larger|bigger|greater|more) than|too (?:long|large|big|many)|overflow\w*"
    r"|surpass\w*|beyond|above|not enough|must be (?:<=|less|at most)|must have less)"
)
_ROOM = (
    r"(?:context(?:[ _-]?(?:length|window|size|limit))|token limit|n_ctx|kv (?:cache )?size"
    r"|max_seq_len|max_model_len|(?:maximum|max) (?:\w+ ){0,3}(?:length|tokens))"
)
_SENT = r"(?:prompts?|inputs?`?|messages|conversation|history|request(?: body| entity)?|payload)"

#: What took, takes or waits too long is late and not large.
_NOT_TIME = (
    r"(?<!took )(?<!take )(?<!takes )(?<!taking )(?<!taken )(?<!queue )(?<!wait )(?<!waited )"
)

#: More was sent than the model takes.
TOO_LONG = _any_of(
    rf"{_OVER}.{{0,90}}{_ROOM}",
    rf"{_ROOM}.{{0,90}}{_OVER}",
    r"maximum (?:context|prompt|input) length (?:is|of)",
    r"maximum context",
    rf"\b(?:{_SENT}|(?:the|your) message)\b.{{0,60}}{_NOT_TIME}\btoo (?:long|large|big)\b",
    r"\bcontext\b(?! deadline).{0,30}(?:exceed\w*|overflow\w*|too (?:long|large|small))",
    r"(?:exceed\w*|overflow\w*|too (?:long|large|big) for).{0,40}\bcontext\b",
    r"sequence length\b.{0,60}(?:exceed\w*|longer|maximum)|maximum (?:\w+ ){0,2}sequence length",
    r"\d tokens?\b.{0,60}\bmodel\b.{0,20}\b(?:supports|accepts|allows|takes)\b(?: \w+){0,4} \d",
    r"max(?:imum)? input (?:characters|tokens|length)|maxlength: \d+, actual",
    r"length of '?/?(?:messages|prompt|input)\S* must be <=",
    rf"\b{_SENT}\b.{{0,40}}\btokens?\b.{{0,60}}{_OVER}",
    rf"\b{_SENT}\b(?: token)? (?:count|length|size)\b.{{0,60}}{_OVER}",
    rf"\b{_SENT}\b (?:exceeds?|exceeded)\b.{{0,30}}\b(?:max|limit|length|model|token)",
    rf"\b{_SENT} {_OVER}.{{0,40}}\btokens",
    r"too many (?:\w+ ){0,2}tokens",
    r"(?:token limit|tokens? count|number of (?:\w+ ){0,2}tokens).{0,40}exceed",
    r"exceed\w* (?:the )?(?:\w+ ){0,2}(?:token limit|maximum number of tokens|limit of [\d,]+ tokens)",
    r"range of input length should be",
    r"(?:reduce|shorten) (?:the (?:length|size|number) of )?(?:the |your )?(?:\w+ )?(?:messages?|prompts?|inputs?)\b",
    r"shorter (?:prompt|input)",
    r"context shift is disabled",
    r"string too long",
    # Chinese, Japanese, Korean; German, French, Spanish and Portuguese, Russian
    r"(?:输入|輸入|上下文|提示|prompt|tokens?|长度|消息|对话|内容).{0,40}(?:超过|超過|超出|超长|超長|过长|過長|过大|太长|太長)",
    r"(?:超过|超過|超出|大于).{0,40}(?:上下文|长度|長度|tokens?)|请求.{0,6}(?:过长|过大|太长)",
    r"(?:入力|プロンプト|コンテキスト|トークン|メッセージ).{0,40}(?:超え|超過|長すぎ|大きすぎ)",
    r"(?:입력|프롬프트|컨텍스트|토큰|메시지).{0,40}(?:초과|너무|깁니다)",
    r"(?:eingabe|prompt|kontext\w*|nachrichten|anfrage)\b.{0,60}(?:zu (?:lang|groß)|überschr\w+)",
    r"(?:contexte|prompt|entrée|messages?|requête)\b.{0,60}(?:dépass\w+|trop (?:long|grand|volumineu)\w*)",
    r"(?:contexto|prompt|entrada|mensajes?|mensage\w+)\b.{0,60}(?:exced\w+|supera\w*|demasiado larg\w+|muito long\w+)",
    r"(?:контекст|запрос|промпт|сообщени|токен)\w*.{0,60}(?:превы\w+|слишком (?:длин|больш|велик)\w*)",
)
#: Of what is too long, it was something else: a name, a list, a file.
ONLY_OTHER = _any_of(
    r"invalid '(?!(?:messages|input|contents?)(?:\[\d+\])?(?:\.(?:content|text|parts)\S*)?'|prompt')[\w.\[\]]+'",
    r"\b(?:name|title|id|url|label|description|suffix|file|image|user|stop|metadata|tools?|function|schema)\b"
    r"(?:(?!prompt|input|context|message|tokens|request|model)[^.\n]){0,60}"
    r"(?:too long|longer than|exceeds? the (?:max\w*|allowed))",
    r"(?:reduce|shorten) (?:the (?:length|size|number) of )?(?:the |your )?(?:tools?|functions?|file|image)\b",
)
#: Of what is too long, this was the answer and not the prompt.
ONLY_OUTPUT = _any_of(
    r"^(?!.*(?:context|prompt|input|messages)).*max_(?:completion_|output_|new_)?tokens",
    r"^(?!.*(?:prompt|input|messages)).*max_\w*tokens\W{1,3}(?:must be|should be|cannot be|is too large)",
)
#: Limits by the minute or the day, which pass.
PER_TIME = _any_of(
    r"\btokens? per (?:min|minute|day|hour|second)|requests? per (?:min|minute|day|hour|second)"
    r"|\b[TR]P[MDS]\b|\brate.?limit|per.?minute|per.?day|每分钟|每分鐘|每天|每日|频率|限流|配额|额度"
)
#: A request by itself is over such a limit.
BIGGER_THAN_RATE = _any_of(
    r"request too large|reduce your message size|tokens must be reduced|request is too large"
)
ASKED_OF_LIMIT = _any_of(
    r"limit:?\s*([\d,]+)(?:(?!\bused\b).){0,40}?(?:requested|current):?\s*([\d,]+)"
)

#: Money, of which no minute brings more, whatever the error is called.
NO_MONEY = _any_of(
    r"credits?\b (?:\w+ ){0,3}(?:depleted|used up|exhausted|expired)\b|no active billing|no payment method"
)
QUOTA = _any_of(
    r"credit balance is too low",
    r"insufficient (?:account )?(?:balance|funds|credits?|quota)",
    r"not enough (?:credits?|balance|funds|money)",
    r"(?:out of|no more|no remaining|run out of|ran out of|exhausted (?:your|all)?|any|negative|all available"
    r"|included) (?:\w+ )?credits?\b",
    r"(?:credit|spend\w*|billing|budget)(?: hard)? (?:limit|cap) (?:is |was |has been )?(?:exceeded|reached)",
    r"billing (?:hard )?limit|billing details|billing (?:is )?not active|check your plan and billing",
    r"(?:usage|monthly|spend\w*) limits?\b.{0,40}\b(?:reached|exceeded)|(?:reached|exceeded) (?:your|its|the)"
    r" (?:\w+ ){0,3}(?:usage|spend\w*|monthly) limits?",
    r"arrear|account.{0,40}(?:overdue|good standing)|failure to pay|payment required",
    r"requires (?:more|at least [\d.$]+) credits|purchase (?:more )?credits|\btop.?up\b|recharge",
    r"budget has been exceeded|key limit exceeded|free tier of the model has been exhausted",
    r"(?:余额|额度|配额).{0,4}不足|欠费|充值",
)

MEMORY = _any_of(
    r"requires more (?:\w+ ){0,2}memory",
    r"(?:not enough|insufficient|out of|lacks?|too little|exhausted|cannot allocate|unable to allocate)"
    r" (?:\w+ ){0,3}(?:memory|vram|ram)\b",
    r"cudamalloc failed|cuda_?error_?out_?of_?memory|outofmemoryerror|std::bad_alloc",
    r"(?:failed|unable) to allocate|ggml_\w*alloc|erroroutofdevicememory",
    # Ollama's runner ends without a word of its own when the system takes its memory.
    r"llama runner process no longer running:? ?(?:-1|137)?\W*$",
    r"signal:? (?:killed|9\b)|exit status 137|insufficient system resources|resource limitations",
)

KEY = _any_of(
    r"api[ _-]?key (?:is |was )?(?:not valid|invalid|incorrect|wrong|expired|missing|required|not found|empty)",
    r"api[ _-]?key.{0,40}(?:has been|was|is) (?:revoked|disabled|deleted|suspended|reported as leaked|expired|deactivated)",
    r"(?:invalid|incorrect|wrong|malformed|missing|expired|unknown|no|bad) (?:or \w+ )?(?:x-)?"
    r"(?:api|auth\w*|access|bearer|subscription)[ _-]?(?:api[ _-]?)?(?:key|token|credentials?|header)",
    r"invalid (?:x-api-key|bearer|token|credentials|authentication)|token (?:is |has )?(?:invalid|expired)",
    r"no (?:auth|authentication|api[ _-]?key|cookie auth) (?:credentials |key )?(?:found|provided|passed)",
    r"(?:didn't|did not|must|need to|please) (?:provide|pass|send|use|set) (?:in )?(?:a |an |your )?(?:valid )?api[ _-]?key",
    r"without an? api[ _-]?key",
    r"\bunauthorized\b|not authenticated|authentication (?:failed|fails|required|error)|authorization (?:header )?(?:is )?(?:missing|required)",
    r"security token.{0,40}(?:invalid|expired)|virtual key|unregistered callers|login fail",
)
NOT_ALLOWED = _any_of(
    r"insufficient permissions|missing scopes?|(?:does not|not) have (?:permission|access)"
    r"|not (?:allowed|permitted|authorized) to (?:access|use)"
)
#: Where a person is, or their account.
ELSEWHERE = _any_of(
    r"\b(?:country|region|location|territory)\b.{0,60}\bnot (?:supported|available)"
)
FILTERED = _any_of(
    r"content (?:filter|management policy|policy|exists risk|moderation)",
    r"inappropriate content|flagged|safety (?:system|filter|reason|setting|check)|usage polic|moderation",
)

_NAMED = r"""(?: ?[`'"“]?[\w./:@+-]*[`'"”]?)"""
MODEL = _any_of(
    r"\bmodels?\b.{0,120}\b(?:not found|does ?n[o']t exist|not exist|not (?:currently )?(?:available|deployed|served|loaded|downloaded"
    r"|installed)|unknown|decommissioned|deprecated|has been retired|could not be found)",
    rf"\bmodel{_NAMED} (?:is )?not (?:supported|valid|a valid)",
    r"(?:no such|unknown|invalid|unsupported|unrecognized|unable to access|could ?n[o']t (?:find|resolve)(?: the)?|cannot find)"
    r" (?:\w+ )?models?\b",
    r"\bno models? (?:is |are |was )?(?:currently )?(?:loaded|found|available|matches|named)",
    r"(?:no endpoints found|try pulling it|model identifier is invalid|not a valid model|healthy deployments|not a chat model"
    r"|llm provider not provided|requested entity was not found|does not support (?:chat|generate)\b(?! completion))",
    r"deployment\b.{0,60}\b(?:does not exist|not found)|^model: \S",
)
#: Of these, a server with a problem of its own says only the plain ones of a model.
MODEL_FOR_SURE = _any_of(
    r"\bmodels?\b.{0,80}\b(?:not found|does ?n[o']t exist|not exist)|no models? (?:\w+ )?loaded|unknown model|no such model"
    r"|try pulling it"
)
NAMES_MODEL = _any_of(r"\b(?:models?|deployment|engine)\b")

ADDRESS = _any_of(
    r"unexpected endpoint|invalid url|(?:unknown|unrecognized|unsupported|invalid|no such) (?:request )?(?:url|path|endpoint|route)\b",
    r"cannot (?:post|get) /|no route matched|(?:route|page|file|path|resource|endpoint) (?:was )?not found",
    r"method not allowed|unsupported method|http request (?:was sent )?to (?:an )?https (?:port|server)|not implemented",
)
#: A model's own process ended, whatever the status says of the request.
CRASHED = _any_of(
    r"\bmodel (?:process )?(?:has |was )?(?:\w+ or )?(?:crashed|unloaded)\b"
    r"|\b(?:runner|worker|engine|backend)\b.{0,30}\b(?:crashed|died|terminated|exited|is dead)\b"
)
#: TLS is spoken to a port without it, or the other way round.
OTHER_PROTOCOL = _any_of(
    r"wrong.version.number|record.layer.failure|unknown protocol|packet length too long"
    r"|(?:illegal status line|invalid http|malformed).{0,40}\\x1[56]\\x03"
)
#: What gRPC says of a server that it has not reached.
NOT_REACHED = _any_of(r"failed to connect to all addresses|dns resolution failed")
RATE = _any_of(r"rate.?limit|too many (?:concurrent )?requests|throttl|slow down")
BUSY = _any_of(
    r"overloaded|server (?:is )?busy|try again later|temporarily unavailable|loading model"
)
