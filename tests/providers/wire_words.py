"""Words of more servers for a chat that outgrew its model, and words that only sound like it."""
# ruff: noqa: E501 - a body is read in one line, in its own letters

from __future__ import annotations

from typing import Any

#: A status and a body.
TOO_LONG: list[tuple[int, Any]] = [
    (
        400,
        {
            "error": "The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length, or provide a shorter input"
        },
    ),
    (
        400,
        {
            "error": "Reached context length of 4096 tokens with this model, but this operation would exceed it."
        },
    ),
    (200, {"error": {"message": "Context size has been exceeded."}}),
    (400, {"error": "Context size has been exceeded."}),
    (
        400,
        {
            "object": "error",
            "message": "Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a total of 9000 tokens: 8000 tokens from the input messages and 1000 tokens for the completion. Please reduce the number of tokens in the input messages or the completion to fit within the limit.",
            "type": "BadRequestError",
            "code": 400,
        },
    ),
    (
        400,
        {
            "error": {
                "message": "Input length (9000 tokens) exceeds the maximum allowed length (8188 tokens). Use a shorter input or enable --allow-auto-truncate.",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: OpenAIException - Error code: 400 - {'error': {'message': 'This model\\'s maximum context length is 4096'}}",
                "type": None,
                "param": None,
                "code": "400",
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": 'litellm.BadRequestError: AnthropicException - b\'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 201000 tokens > 200000 maximum"}}\'. Received Model Group=claude\nAvailable Model Group Fallbacks=None',
                "type": None,
                "param": None,
                "code": "400",
            }
        },
    ),
    (
        500,
        {
            "error": {
                "message": 'litellm.InternalServerError: BedrockException - {"message":"Input is too long for requested model."}',
                "type": None,
                "code": "500",
            }
        },
    ),
    (
        400,
        {
            "message": "The model returned the following errors: Input is too long for requested model."
        },
    ),
    (
        400,
        {
            "message": "The model returned the following errors: Malformed input request: expected maxLength: 20000, actual: 30000, please reformat your input and try again."
        },
    ),
    (
        400,
        {
            "message": "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again."
        },
    ),
    (
        400,
        {
            "message": "This model's maximum context length is 131072 tokens. Please reduce the length of the prompt"
        },
    ),
    (
        400,
        {
            "message": "The model returned the following errors: prompt is too long: 203456 tokens > 200000 maximum"
        },
    ),
    (
        400,
        {
            "error": {
                "code": 400,
                "message": "Unable to submit request because the input token count is 1203000 but model only supports up to 1048576. Reduce the input token count and try again. You can also use the CountTokens API to calculate prompt token count and billable characters.",
                "status": "INVALID_ARGUMENT",
            }
        },
    ),
    (
        400,
        {
            "error": {
                "code": 400,
                "message": "Request payload size exceeds the limit: 20971520 bytes.",
                "status": "INVALID_ARGUMENT",
            }
        },
    ),
    (
        500,
        {
            "errors": [
                {
                    "message": "AiError: AiError: 5021: The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (7968).",
                    "code": 5021,
                }
            ],
            "success": False,
            "result": {},
            "messages": [],
        },
    ),
    (
        400,
        {
            "success": False,
            "errors": [
                {
                    "code": 5006,
                    "message": "AiError: Bad input: Error: oneOf at '/' not met, 0 matches: required properties at '/' are 'prompt', Length of '/messages/0/content' must be <= 6144",
                }
            ],
        },
    ),
    (
        422,
        {
            "error": "Input validation error: `inputs` must have less than 4095 tokens. Given: 5000",
            "error_type": "validation",
        },
    ),
    (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1900 `inputs` tokens and 500 `max_new_tokens`",
            "error_type": "validation",
        },
    ),
    (
        400,
        {
            "error": [
                "Input validation error: `inputs` must have less than 1024 tokens. Given: 1111"
            ]
        },
    ),
    (413, {"error": "Payload reached size limit."}),
    (400, {"detail": "Context length exceeded. Prompt is 5000 tokens, max is 4096"}),
    (
        400,
        {
            "detail": [
                {
                    "type": "value_error",
                    "loc": ["body"],
                    "msg": "Prompt tokens (5000) exceed max_seq_len (4096)",
                }
            ]
        },
    ),
    (
        422,
        {
            "error": {
                "message": "Prompt is too long for the given max_seq_len: 5000 > 4096",
                "trace": "Traceback ...",
            }
        },
    ),
    (500, {"detail": {"msg": "Prompt exceeds context budget", "type": "generic"}}),
    (
        400,
        {
            "detail": {
                "msg": "This model maximum context length is 2048 tokens. However, your messages resulted in over 3000 tokens and max_tokens is 512.",
                "type": "bad_input",
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "This model maximum context length is 4096 tokens. However, your messages resulted in over 4500 tokens.",
                "code": 400,
                "type": "InvalidRequestError",
                "param": "messages",
            }
        },
    ),
    (
        400,
        {
            "object": "error",
            "message": "Input length 9000 exceeds maximum allowed token size 8192",
            "detail": {},
            "type": "invalid_request_error",
        },
    ),
    (
        400,
        {
            "error_code": "BAD_REQUEST",
            "message": '{"error_code": "BAD_REQUEST", "message": "Error: Your request exceeds the maximum context length. Input token count 140000, limit 128000."}',
        },
    ),
    (
        400,
        {
            "error_code": "BAD_REQUEST",
            "message": '{"external_model_provider":"amazon-bedrock","external_model_error":{"message":"Input is too long for requested model."}}',
        },
    ),
    (
        400,
        {
            "error": {
                "message": "The total number of tokens (prompt + max_tokens) exceeds the model context",
                "type": "bad_request",
            }
        },
    ),
    (
        400,
        {
            "message": "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "context_length_exceeded",
        },
    ),
    (
        400,
        {
            "message": "Current length is 9000 while limit is 8192",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "context_length_exceeded",
        },
    ),
    (
        400,
        {
            "error": {
                "code": None,
                "message": "Requested generation length 100 is not possible! The provided prompt is 9000 tokens long, so generating 100 tokens requires a sequence length of 9100, but the maximum supported sequence length is just 8192!",
                "param": None,
                "type": "invalid_request_error",
            }
        },
    ),
    (400, {"error": {"message": "输入长度超过限制"}}),
    (400, {"error": {"code": "1261", "message": "Prompt 超长"}}),
    (400, {"error": {"message": "输入内容过长，请缩短后重试"}}),
    (400, {"error": {"message": "tokens 总数超过模型最大上下文长度"}}),
    (400, {"error_code": 336007, "error_msg": "the max input characters is 20000"}),
    (200, {"error_code": 336103, "error_msg": "Prompt tokens too long"}),
    (400, {"error": {"message": "输入tokens超出模型上下文长度限制"}}),
    (
        400,
        {
            "error": {
                "message": "input new_sensitive / context window exceeds limit (2013)",
                "type": "invalid_request_error",
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "invalid params, context window exceeds limit (2013)",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "Input token length too long",
                "type": None,
                "param": None,
                "code": "20015",
            }
        },
    ),
    (
        413,
        {
            "code": 20042,
            "message": "length of prompt_tokens (40000) must be less than max_seq_len (32768).",
            "data": None,
        },
    ),
    (
        400,
        {
            "error": {
                "message": "max_total_tokens (33000) must be less than or equal to max_seq_len (32768)",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "Total tokens of image and text exceed max message tokens. Request id: 1",
                "type": "BadRequest",
                "param": None,
                "code": "InvalidParameter",
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "Input length 33000 exceeds the maximum length 32768. Request id: 2",
                "type": "BadRequest",
                "param": None,
                "code": "InvalidParameter",
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "The input is longer than the maximum number of tokens this model accepts"
            }
        },
    ),
    (400, {"error": {"message": "입력 토큰이 최대 컨텍스트 길이를 초과했습니다"}}),
    (400, {"error": {"message": "入力トークン数がモデルの最大コンテキスト長を超えています"}}),
    (400, {"error": {"message": "Die Eingabe ist zu lang für das Kontextfenster des Modells"}}),
    (400, {"error": {"message": "La longueur du contexte dépasse la limite du modèle"}}),
    (400, "Prompt too long"),
    (
        500,
        "llama_decode: failed to decode, the input is too large to process. increase the physical batch size",
    ),
    (
        500,
        {
            "error": {
                "code": 500,
                "message": "input is too large to process. increase the physical batch size (current batch size: 512)",
                "type": "server_error",
            }
        },
    ),
    (
        500,
        {
            "error": {
                "message": "input (5000 tokens) is too large to process. increase the physical batch size (current batch size: 2048)",
                "type": "server_error",
                "code": 500,
            }
        },
    ),
    (
        500,
        {
            "error": {
                "message": "Requested tokens (5000) exceed context window of 2048",
                "type": "internal_server_error",
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "This model's maximum context length is 2048 tokens. However, you requested 3000 tokens (2000 in the messages, 1000 in the completion). Please reduce the length of the messages or completion.",
                "type": "invalid_request_error",
                "param": "messages",
                "code": "context_length_exceeded",
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "The prompt is longer than the model's context size (2048 vs 4000)."
            }
        },
    ),
    (
        400,
        {
            "error": "ERROR: The prompt size exceeds the context window size and cannot be processed."
        },
    ),
    (500, "ERROR: The prompt size exceeds the context window size and cannot be processed."),
    (400, {"error": {"message": "prompt length (5000) exceeds max_model_len"}}),
    (422, {"detail": "Input prompt (5000 tokens) is too long and exceeds limit of 4096"}),
    (400, {"error": {"message": "Your message is too long. Please shorten it."}}),
    (400, {"error": {"message": "Conversation too long; please start a new chat"}}),
    (
        400,
        {"error": {"message": "The messages exceed the token budget for this model: 9000 > 8192"}},
    ),
    (422, {"message": "request has 150000 tokens but the model supports 128000"}),
    (
        400,
        {"message": "invalid request: total of 9000 tokens is more than the 8192 that m supports"},
    ),
    (
        400,
        {
            "error": {
                "message": "sequence length 5000 exceeds model max position embeddings 2048",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "Token indices sequence length is longer than the specified maximum sequence length for this model (5000 > 4096)",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    ),
    (
        429,
        {
            "error": {
                "message": "Request too large for model `llama` in organization `org` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size and try again.",
                "type": "tokens",
                "param": None,
                "code": "rate_limit_exceeded",
            }
        },
    ),
    (400, {"errors": {"message": "max context exceeded"}}),
    (413, ""),
    (
        413,
        {
            "error": {
                "message": "Failed to buffer the request body: length limit exceeded",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    ),
    (413, "Payload Too Large"),
    (400, {"error": {"message": "exceeds max input tokens: 9000 > 8000"}}),
    (
        400,
        {
            "error": {
                "message": "Too many tokens in prompt",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "input tokens limit exceeded",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": '[400] {"code":"InvalidParameter","message":"Range of input length should be [1, 129024]"}',
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "Invalid 'messages[3].content': string too long. Expected a string with maximum length 10485760, but got a string with length 20000000 instead.",
                "type": "invalid_request_error",
                "param": None,
                "code": "string_above_max_length",
            }
        },
    ),
    (
        400,
        {
            "error": {
                "message": "please reduce your max_tokens: prompt has 100 tokens, max_tokens 9000 must be less than the context 4096"
            }
        },
    ),
]

#: A status, a body, and what it means.
OTHERWISE: list[tuple[int, Any, str]] = [
    (
        400,
        {
            "error": {
                "message": "Unknown field 'context'",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "The file name 'a very long name.png' is too long (maximum is 64 characters)",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "max_tokens must be less than or equal to 8192",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "max_tokens must be less than 4096",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-sonnet",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window` for this model",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "Invalid 'tools[0].function.name': string too long. Expected a string with maximum length 64, but got a string with length 70 instead.",
                "type": "invalid_request_error",
                "param": None,
                "code": "string_above_max_length",
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "Please reduce the length of the tool name",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "tool name exceeds the maximum length of 64",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "tools.0.custom.name: String should have at most 128 characters",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "Invalid 'user': string too long. Expected a string with maximum length 64, but got a string with length 100 instead.",
                "type": "invalid_request_error",
                "param": None,
                "code": "string_above_max_length",
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "Invalid 'metadata': too many properties. Expected an object with at most 16 properties",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 instead.",
                "type": "invalid_request_error",
                "param": None,
                "code": "array_above_max_length",
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 200 instead.",
                "type": "invalid_request_error",
                "param": None,
                "code": "array_above_max_length",
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "messages: roles must alternate; the context of the conversation is invalid",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "Too many images in request: maximum is 20",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "temperature must be less than or equal to 2",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "max_completion_tokens is too large: 200000. This model supports at most 100000 completion tokens.",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "thinking.budget_tokens must be less than max_tokens",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "stop sequences too long",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "The system prompt parameter 'prompt_id' is not valid",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        400,
        {
            "error": {
                "message": "context caching is not supported with this request",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "request_refused",
    ),
    (
        429,
        {
            "error": {
                "message": "Rate limit reached for gpt-4 on tokens per min (TPM): Limit 30000, Used 29000, Requested 8000. Please try again in 14s.",
                "type": "tokens",
                "param": None,
                "code": "rate_limit_exceeded",
            }
        },
        "rate_limited",
    ),
    (
        429,
        {
            "error": {
                "message": "You have exceeded the token limit per minute. Please wait.",
                "type": "rate_limit",
                "param": None,
                "code": None,
            }
        },
        "rate_limited",
    ),
    (
        429,
        {
            "error": {
                "message": "Too many tokens, please wait before trying again.",
                "type": "ThrottlingException",
                "param": None,
                "code": None,
            }
        },
        "rate_limited",
    ),
    (429, {"message": "Too many tokens, please wait before trying again."}, "rate_limited"),
    (
        400,
        {
            "message": "Too many tokens, please wait before trying again.",
            "__type": "ThrottlingException",
        },
        "rate_limited",
    ),
    (
        429,
        {"message": "Too many tokens per day, please wait before trying again."},
        "rate_limited",
    ),
    (
        429,
        {
            "error": {
                "message": "Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale requests more smoothly over time.",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "rate_limited",
    ),
    (
        429,
        {
            "error": {
                "message": "Number of request tokens has exceeded your per-minute rate limit",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "rate_limited",
    ),
    (
        429,
        {
            "error": {
                "message": "This request would exceed your account's rate limit. Please try again later.",
                "type": "rate_limit_error",
                "param": None,
                "code": None,
            }
        },
        "rate_limited",
    ),
    (
        429,
        {
            "error": {
                "message": "Tokens per minute limit exceeded - too many tokens processed.",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "rate_limited",
    ),
    (
        429,
        {
            "message": "Tokens per minute limit exceeded - too many tokens processed.",
            "type": "too_many_tokens_error",
            "param": "quota",
            "code": "token_quota_exceeded",
        },
        "rate_limited",
    ),
    (
        429,
        {
            "message": "Requests per minute limit exceeded - too many requests sent.",
            "type": "too_many_requests_error",
            "param": "quota",
            "code": "request_quota_exceeded",
        },
        "rate_limited",
    ),
    (429, {"message": "Service tier capacity exceeded for this model."}, "rate_limited"),
    (
        429,
        {
            "error": {
                "code": "429",
                "message": "Your requests to m for m in r have exceeded the token rate limit for your current OpenAI S0 pricing tier. Please retry after 10 seconds. To increase your default rate limit",
            }
        },
        "rate_limited",
    ),
    (
        503,
        {
            "error": {
                "message": "The engine is currently overloaded, request queue too long",
                "type": None,
                "param": None,
                "code": None,
            }
        },
        "provider_failed",
    ),
    (
        500,
        {
            "error": {
                "message": "The server took too long to respond",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "provider_failed",
    ),
    (504, {"error": "upstream took too long"}, "provider_timeout"),
    (
        408,
        {
            "error": {
                "message": "Request took too long",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "provider_timeout",
    ),
    (500, {"error": "llama runner process has terminated: exit status 2"}, "provider_failed"),
    (
        500,
        {"error": "llama runner process has terminated: exit status 0xc0000409"},
        "provider_failed",
    ),
    (500, {"error": "llama runner process no longer running: 2"}, "provider_failed"),
    (
        500,
        {
            "error": "llama runner process has terminated: error:failed to create context with model"
        },
        "provider_failed",
    ),
    (
        500,
        {"error": "llama runner process has terminated: signal: segmentation fault"},
        "provider_failed",
    ),
    (
        500,
        {"error": "llama runner process has terminated: signal: aborted (core dumped)"},
        "provider_failed",
    ),
    (
        500,
        {"error": "llama runner process has terminated: GGML_ASSERT(x) failed"},
        "provider_failed",
    ),
    (
        500,
        {"error": "llama runner process has terminated: exit status 0xc0000005 CUDA error"},
        "provider_failed",
    ),
    (500, {"error": "llama runner process has terminated: signal: killed"}, "provider_memory"),
    (
        500,
        {"error": "llama runner process has terminated: CUDA error: out of memory"},
        "provider_memory",
    ),
    (
        500,
        {
            "error": "llama runner process has terminated: error loading model: unable to allocate CUDA0 buffer"
        },
        "provider_memory",
    ),
    (
        500,
        {
            "error": "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details"
        },
        "provider_memory",
    ),
    (500, {"error": "unable to load model: /x/blobs/sha256-1"}, "provider_failed"),
    (507, {"error": "Insufficient storage"}, "provider_memory"),
    (401, {"error": {"message": "User not found.", "code": 401}}, "key_refused"),
    (403, {"error": "Forbidden"}, "forbidden"),
    (500, {"error": "llama runner process no longer running: -1 "}, "provider_memory"),
    (500, {"error": "failed to stop upstream"}, "provider_failed"),
    (500, {"error": "context deadline exceeded"}, "provider_failed"),
    (400, {"error": {"message": "每分钟 tokens 超过限制"}}, "request_refused"),
]
