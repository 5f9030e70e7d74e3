"""What real servers answer when they refuse: the status, the body, and what it means."""
# ruff: noqa: E501 - a body is read in one line

from __future__ import annotations

from typing import Any

LONG, KEY, QUOTA = "context_too_long", "key_refused", "quota_exceeded"
MODEL, ADDRESS, MEMORY = "model_not_found", "wrong_address", "provider_memory"
RATE, FAILED, FORBIDDEN = "rate_limited", "provider_failed", "forbidden"
REFUSED, FILTERED = "request_refused", "content_filtered"

_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def _openai(message: str, kind: str = "invalid_request_error", code: Any = None) -> Any:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _anthropic(kind: str, message: str) -> Any:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def _google(code: int, status: str, message: str, **more: Any) -> Any:
    return {"error": {"code": code, "message": message, "status": status, **more}}


#: By a name: the status, the body (a string as it is), the code.
ERRORS: dict[str, tuple[int, Any, str]] = {
    # a chat that outgrew its model
    "openai": (
        400,
        _openai(
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
            code="context_length_exceeded",
        ),
        LONG,
    ),
    "openai responses": (
        400,
        _openai(
            "Your input exceeds the context window of this model. Please adjust your input and try again."
        ),
        LONG,
    ),
    "openai tpm": (
        429,
        _openai(
            "Request too large for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Requested 45000. The input or output tokens must be reduced in order to run successfully.",
            "tokens",
            "rate_limit_exceeded",
        ),
        LONG,
    ),
    "groq tpm": (
        413,
        _openai(
            "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size and try again.",
            "tokens",
            "rate_limit_exceeded",
        ),
        LONG,
    ),
    "groq": (400, _openai("Please reduce the length of the messages or completion."), LONG),
    "llama.cpp": (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 5000,
                "n_ctx": 4096,
            }
        },
        LONG,
    ),
    "llama.cpp 500": (
        500,
        {"error": {"code": 500, "message": "context shift is disabled", "type": "server_error"}},
        LONG,
    ),
    "llama.cpp kv": (
        500,
        {
            "error": {
                "code": 500,
                "message": "Input prompt is too big compared to KV size. Please try increasing KV size.",
                "type": "server_error",
            }
        },
        LONG,
    ),
    "vllm": (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens in the messages, Please reduce the length of the messages.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
        LONG,
    ),
    "vllm decoder": (
        400,
        {
            "object": "error",
            "message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
            "type": "BadRequestError",
            "code": 400,
        },
        LONG,
    ),
    "vllm passed": (
        400,
        _openai(
            "You passed 5000 input tokens and requested 1 output tokens. However, the model's context length is only 4096 tokens, resulting in a maximum input length of 4095 tokens.",
            "BadRequestError",
            400,
        ),
        LONG,
    ),
    "anthropic": (
        400,
        _anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
        LONG,
    ),
    "anthropic max_tokens": (
        400,
        _anthropic(
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again",
        ),
        LONG,
    ),
    "anthropic bytes": (
        413,
        _anthropic("request_too_large", "Request exceeds the maximum size"),
        LONG,
    ),
    "gemini": (
        400,
        _google(
            400,
            "INVALID_ARGUMENT",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        ),
        LONG,
    ),
    "gemini list": (
        400,
        [
            _google(
                400,
                "INVALID_ARGUMENT",
                "The input token count exceeds the maximum number of tokens allowed (1048576).",
            )
        ],
        LONG,
    ),
    "mistral": (
        400,
        {
            "object": "error",
            "message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
            "type": "invalid_request_prompt",
            "code": "3051",
        },
        LONG,
    ),
    "tgi": (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 100 `max_new_tokens`",
            "error_type": "validation",
        },
        LONG,
    ),
    "tgi short": (
        422,
        {
            "error": "`inputs` must have less than 1024 tokens. Given: 4000",
            "error_type": "validation",
        },
        LONG,
    ),
    "ollama": (400, {"error": "the input length exceeds the context length"}, LONG),
    "ollama max": (400, {"error": "input length exceeds maximum context length"}, LONG),
    "ollama cloud": (
        400,
        {"error": "prompt too long; exceeded max context length by 123 tokens"},
        LONG,
    ),
    "lm studio": (
        400,
        {
            "error": "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough. Try to load the model with a larger context length, or provide a shorter input"
        },
        LONG,
    ),
    "lm studio keep": (
        400,
        {
            "error": "The number of tokens to keep from the initial prompt is greater than the context length."
        },
        LONG,
    ),
    "cohere": (
        400,
        {
            "message": "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000. Try using a shorter prompt"
        },
        LONG,
    ),
    "openrouter": (
        400,
        {
            "error": {
                "message": "Provider returned error",
                "code": 400,
                "metadata": {
                    "raw": '{"error":{"message":"This endpoint\'s maximum context length is 8192 tokens. However, you requested about 9000 tokens"}}',
                    "provider_name": "x",
                },
            }
        },
        LONG,
    ),
    "xai": (
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        },
        LONG,
    ),
    "fireworks": (
        400,
        _openai("The prompt is too long: 9000, model maximum context length: 8191"),
        LONG,
    ),
    "together": (
        422,
        _openai(
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000"
        ),
        LONG,
    ),
    "dashscope": (
        400,
        _openai(
            "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]",
            code="invalid_parameter_error",
        ),
        LONG,
    ),
    "sglang": (
        400,
        {
            "object": "error",
            "message": "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
            "type": "BadRequestError",
            "code": 400,
        },
        LONG,
    ),
    "azure 413": (
        413,
        _openai(
            "Request body too large for gpt-4o model. Max size: 8000 tokens.",
            code="tokens_limit_reached",
        ),
        LONG,
    ),
    "bedrock": (
        400,
        {"message": "Input is too long for requested model.", "__type": "ValidationException"},
        LONG,
    ),
    "bedrock count": (
        400,
        {
            "message": "Too many input tokens. Max input tokens: 8192, request input token count: 10000"
        },
        LONG,
    ),
    "moonshot": (
        400,
        _openai("Invalid request: Your request exceeded model token limit: 8192"),
        LONG,
    ),
    "copilot": (
        400,
        _openai(
            "prompt token count of 140000 exceeds the limit of 128000",
            code="model_max_prompt_tokens_exceeded",
        ),
        LONG,
    ),
    "watsonx": (
        400,
        {
            "errors": [
                {
                    "code": "invalid_input_argument",
                    "message": "Invalid input argument for Model 'm': the number of input tokens 5000 cannot exceed the total tokens limit 4096 for this model",
                }
            ]
        },
        LONG,
    ),
    "cloudflare": (
        413,
        {
            "errors": [
                {
                    "message": "AiError: The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (8000).",
                    "code": 5021,
                }
            ]
        },
        LONG,
    ),
    "tabby": (
        400,
        {"error": {"message": "Prompt length 5000 is greater than max_seq_len 4096"}},
        LONG,
    ),
    "zhipu": (400, {"error": {"code": "1261", "message": "Prompt exceeds max length"}}, LONG),
    "nginx 413": (413, _PAGE.format("413 Request Entity Too Large"), LONG),
    "a bare sentence": (400, '"This model\'s maximum context length is 4096 tokens"', LONG),
    "a list of sentences": (400, ["prompt is too long: 9 tokens > 8 maximum"], LONG),
    "plain text": (400, "prompt exceeds the context size", LONG),
    # refused keys
    "openai key": (401, _openai("Incorrect API key provided: sk-x.", code="invalid_api_key"), KEY),
    "gemini key list": (
        400,
        [
            _google(
                400,
                "INVALID_ARGUMENT",
                "API key not valid. Please pass a valid API key.",
                details=[
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": "API_KEY_INVALID",
                        "domain": "googleapis.com",
                    }
                ],
            )
        ],
        KEY,
    ),
    "gemini key bearer": (
        400,
        [_google(400, "INVALID_ARGUMENT", "Missing or invalid Authorization header.")],
        KEY,
    ),
    "gemini leaked": (
        403,
        _google(
            403,
            "PERMISSION_DENIED",
            "Your API key was reported as leaked. Please use another API key.",
        ),
        KEY,
    ),
    "gemini unregistered": (
        403,
        _google(
            403,
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
        ),
        KEY,
    ),
    "anthropic key": (401, _anthropic("authentication_error", "invalid x-api-key"), KEY),
    "openrouter key": (401, {"error": {"message": "No auth credentials found", "code": 401}}, KEY),
    "xai key": (
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "Incorrect API key provided: ab***. You can obtain an API key from the console.",
        },
        KEY,
    ),
    "vllm key": (401, {"error": "Unauthorized"}, KEY),
    "azure key": (
        401,
        {
            "error": {
                "code": "401",
                "message": "Access denied due to invalid subscription key or wrong API endpoint.",
            }
        },
        KEY,
    ),
    "deepseek key": (
        401,
        _openai("Authentication Fails, Your api key: ****bad is invalid", "authentication_error"),
        KEY,
    ),
    "dashscope key": (401, _openai("Incorrect API key provided.", code="invalid_api_key"), KEY),
    "dashscope own": (
        400,
        {"code": "InvalidApiKey", "message": "Invalid API-key provided.", "request_id": "1"},
        KEY,
    ),
    "mistral key": (401, {"message": "Unauthorized", "request_id": "1"}, KEY),
    "mistral detail": (401, {"detail": "Unauthorized"}, KEY),
    "litellm key": (
        401,
        _openai("Authentication Error, LiteLLM Virtual Key expected.", "auth_error", "401"),
        KEY,
    ),
    "cohere key": (401, {"message": "invalid api token"}, KEY),
    "bedrock key": (
        403,
        {
            "message": "The security token included in the request is invalid.",
            "__type": "UnrecognizedClientException",
        },
        KEY,
    ),
    "401 page": (401, _PAGE.format("401 Authorization Required"), KEY),
    "401 empty": (401, "", KEY),
    # what a key may not do
    "openai region": (
        403,
        _openai(
            "Country, region, or territory not supported",
            "request_forbidden",
            "unsupported_country_region_territory",
        ),
        FORBIDDEN,
    ),
    "openai project": (
        403,
        _openai("Project `p` does not have access to model `m`", code="model_not_found"),
        FORBIDDEN,
    ),
    "anthropic may not": (
        403,
        _anthropic(
            "permission_error",
            "Your API key does not have permission to use the specified resource.",
        ),
        FORBIDDEN,
    ),
    "gemini region": (
        400,
        _google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        FORBIDDEN,
    ),
    "cloudflare page": (403, _PAGE.format("Attention Required! | Cloudflare"), FORBIDDEN),
    # an empty purse
    "openai quota": (
        429,
        _openai(
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            "insufficient_quota",
        ),
        QUOTA,
    ),
    "openai hard limit": (
        400,
        _openai("Billing hard limit has been reached", code="billing_hard_limit_reached"),
        QUOTA,
    ),
    "anthropic credit": (
        400,
        _anthropic(
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
        ),
        QUOTA,
    ),
    "anthropic usage": (
        400,
        _anthropic(
            "invalid_request_error",
            "You have reached your specified API usage limits. You will regain access on 2030-01-01.",
        ),
        QUOTA,
    ),
    "deepseek balance": (402, _openai("Insufficient Balance", "unknown_error"), QUOTA),
    "dashscope arrears": (
        400,
        {
            "code": "Arrearage",
            "message": "Access denied, please make sure your account is in good standing.",
        },
        QUOTA,
    ),
    "openrouter credits": (
        402,
        {
            "error": {
                "message": "This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens, but can only afford 1234.",
                "code": 402,
            }
        },
        QUOTA,
    ),
    "openrouter limit": (
        403,
        {"error": {"message": "Key limit exceeded (total limit).", "code": 403}},
        QUOTA,
    ),
    "xai credits": (
        429,
        {
            "code": "Some resource has been exhausted",
            "error": "Your team has either used all available credits or reached its monthly spending limit.",
        },
        QUOTA,
    ),
    "xai new team": (
        403,
        {
            "code": "The caller does not have permission to execute the specified operation",
            "error": "Your newly created team doesn't have any credits or licenses yet.",
        },
        QUOTA,
    ),
    "moonshot suspended": (
        429,
        _openai(
            "Your account is suspended, please check your plan and billing details",
            "exceeded_current_quota_error",
        ),
        QUOTA,
    ),
    "litellm budget": (
        400,
        _openai(
            "Budget has been exceeded! Current cost: 1.2, Max budget: 1.0",
            "budget_exceeded",
            "400",
        ),
        QUOTA,
    ),
    "fireworks suspended": (
        412,
        _openai(
            "Account x is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices"
        ),
        QUOTA,
    ),
    "402 empty": (402, "", QUOTA),
    # too little memory
    "ollama memory": (
        500,
        {"error": "model requires more system memory (12.0 GiB) than is available (3.1 GiB)"},
        MEMORY,
    ),
    "ollama memory 404": (
        404,
        {"error": "model requires more system memory (12.0 GiB) than is available (3.1 GiB)"},
        MEMORY,
    ),
    "ollama v1": (
        500,
        _openai(
            "model requires more system memory (12.0 GiB) than is available (3.1 GiB)", "api_error"
        ),
        MEMORY,
    ),
    "ollama killed": (
        500,
        {"error": "llama runner process has terminated: signal: killed"},
        MEMORY,
    ),
    "ollama cuda": (
        500,
        {"error": "llama runner process has terminated: cudaMalloc failed: out of memory"},
        MEMORY,
    ),
    "cuda": (500, {"error": "CUDA out of memory. Tried to allocate 2.00 GiB"}, MEMORY),
    "lm studio memory": (
        400,
        {
            "error": "Failed to load model. Error: Model loading was stopped due to insufficient system resources."
        },
        MEMORY,
    ),
    # which model
    "openai model": (
        404,
        _openai(
            "The model `m` does not exist or you do not have access to it.", code="model_not_found"
        ),
        MODEL,
    ),
    "ollama model": (404, {"error": "model 'm' not found, try pulling it first"}, MODEL),
    "vllm model": (
        404,
        {
            "object": "error",
            "message": "The model `m` does not exist.",
            "type": "NotFoundError",
            "code": 404,
        },
        MODEL,
    ),
    "lm studio model": (
        404,
        _openai(
            "No models loaded. Please load a model in the developer page.", code="model_not_found"
        ),
        MODEL,
    ),
    "lm studio 400": (
        400,
        {
            "error": "No models loaded. Please load a model in the developer page or use the `lms load` command."
        },
        MODEL,
    ),
    "anthropic model": (404, _anthropic("not_found_error", "model: claude-x"), MODEL),
    "gemini model": (
        404,
        [
            _google(
                404,
                "NOT_FOUND",
                "models/m is not found for API version v1beta, or is not supported for generateContent.",
            )
        ],
        MODEL,
    ),
    "mistral model": (
        400,
        {
            "object": "error",
            "message": "Invalid model: m",
            "type": "invalid_model",
            "code": "1500",
        },
        MODEL,
    ),
    "deepseek model": (400, _openai("Model Not Exist"), MODEL),
    "openrouter model": (
        404,
        {"error": {"message": "No endpoints found for m.", "code": 404}},
        MODEL,
    ),
    "openrouter id": (
        400,
        {"error": {"message": "m is not a valid model ID", "code": 400}},
        MODEL,
    ),
    "xai model": (
        404,
        {
            "code": "Some requested entity was not found",
            "error": "The model m does not exist or your team does not have access to it.",
        },
        MODEL,
    ),
    "azure model": (
        404,
        {
            "error": {
                "code": "DeploymentNotFound",
                "message": "The API deployment for this resource does not exist.",
            }
        },
        MODEL,
    ),
    "litellm model": (
        400,
        _openai(
            "/chat/completions: Invalid model name passed in model=m. Call `/v1/models` to view available models for your key.",
            "None",
            "400",
        ),
        MODEL,
    ),
    "bedrock model": (400, {"message": "The provided model identifier is invalid."}, MODEL),
    # a wrong address
    "vllm path": (404, {"detail": "Not Found"}, ADDRESS),
    "llama.cpp path": (
        404,
        {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}},
        ADDRESS,
    ),
    "ollama path": (404, "404 page not found", ADDRESS),
    "lm studio path": (
        200,
        {"error": "Unexpected endpoint or method. (POST /chat/completions)"},
        ADDRESS,
    ),
    "openai path": (404, _openai("Invalid URL (POST /v1/v1/chat/completions)"), ADDRESS),
    "azure path": (404, {"error": {"code": "404", "message": "Resource not found"}}, ADDRESS),
    "express": (404, _PAGE.format("Cannot POST /chat/completions"), ADDRESS),
    "nginx 404": (404, _PAGE.format("404 Not Found"), ADDRESS),
    "spring": (
        404,
        {"timestamp": "t", "status": 404, "error": "Not Found", "path": "/chat/completions"},
        ADDRESS,
    ),
    "404 empty": (404, "", ADDRESS),
    "nginx 405": (405, _PAGE.format("405 Not Allowed"), ADDRESS),
    "405": (405, {"detail": "Method Not Allowed"}, ADDRESS),
    "tls wanted nginx": (
        400,
        _PAGE.format("400 The plain HTTP request was sent to HTTPS port"),
        ADDRESS,
    ),
    "tls wanted go": (400, "Client sent an HTTP request to an HTTPS server.\n", ADDRESS),
    "http.server": (501, _PAGE.format("Error code: 501 Unsupported method ('POST')"), ADDRESS),
    # what stays what it was
    "plain 429": (
        429,
        _openai(
            "Rate limit reached for m on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.",
            "tokens",
            "rate_limit_exceeded",
        ),
        RATE,
    ),
    "anthropic 429": (
        429,
        _anthropic(
            "rate_limit_error",
            "This request would exceed your organization's rate limit of 30,000 input tokens per minute.",
        ),
        RATE,
    ),
    "gemini 429": (
        429,
        [
            _google(
                429,
                "RESOURCE_EXHAUSTED",
                "You exceeded your current quota, please check your plan and billing details. Please retry in 34s.",
            )
        ],
        RATE,
    ),
    "openrouter free": (
        429,
        {
            "error": {
                "message": "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
                "code": 429,
            }
        },
        RATE,
    ),
    "azure 429": (
        429,
        {
            "error": {
                "code": "429",
                "message": "Requests have exceeded call rate limit of your current pricing tier. Please retry after 6 seconds.",
            }
        },
        RATE,
    ),
    "overloaded": (529, _anthropic("overloaded_error", "Overloaded"), FAILED),
    "busy model": (
        503,
        _openai("The model is currently overloaded and not available right now.", "server_error"),
        FAILED,
    ),
    "loading": (
        503,
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        FAILED,
    ),
    "cloudflare 502": (502, _PAGE.format("502 Bad Gateway"), FAILED),
    "cloudflare 522": (522, _PAGE.format("Connection timed out"), FAILED),
    "unknown parameter": (
        400,
        _openai(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            code="unsupported_parameter",
        ),
        REFUSED,
    ),
    "max_tokens": (
        400,
        _openai(
            "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000."
        ),
        REFUSED,
    ),
    "no prefill": (
        400,
        _anthropic(
            "invalid_request_error", "This model does not support assistant message prefill."
        ),
        REFUSED,
    ),
    "no tools": (400, {"error": "registry/m does not support tools"}, REFUSED),
    "azure filter": (
        400,
        {
            "error": {
                "message": "The response was filtered due to the prompt triggering content management policy.",
                "code": "content_filter",
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        },
        FILTERED,
    ),
    "deepseek filter": (400, _openai("Content Exists Risk"), FILTERED),
    "dashscope filter": (
        400,
        _openai("Input data may contain inappropriate content.", code="data_inspection_failed"),
        FILTERED,
    ),
    "openrouter filter": (
        403,
        {"error": {"message": "Your input was flagged", "code": 403}},
        FILTERED,
    ),
}
