"""Errors as the classes of providers' libraries hold them, which are not all installed here."""
# ruff: noqa: E501 - an error is read in one line

from __future__ import annotations

import enum
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.provider_errors import code_of


class Grpc(enum.Enum):
    """Statuses of gRPC, as its Python package has them."""

    INVALID_ARGUMENT = (3, "invalid argument")
    DEADLINE_EXCEEDED = (4, "deadline exceeded")
    NOT_FOUND = (5, "not found")
    PERMISSION_DENIED = (7, "permission denied")
    RESOURCE_EXHAUSTED = (8, "resource exhausted")
    FAILED_PRECONDITION = (9, "failed precondition")
    INTERNAL = (13, "internal")
    UNAVAILABLE = (14, "unavailable")
    UNAUTHENTICATED = (16, "unauthenticated")


class GoogleCall(Exception):
    """An error of `google.api_core`."""

    def __init__(self, code: int, status: Grpc, message: str, reason: str | None = None) -> None:
        super().__init__(f"{int(code)} {message}" + (f" [reason: {reason}]" if reason else ""))
        self.code, self.grpc_status_code, self.message = code, status, message
        self.reason, self.details, self.errors = reason, [object()], []
        self.response = SimpleNamespace(code=lambda: status, details=lambda: message)


class GrpcCall(Exception):
    """An error of `grpc.aio`: its code and its words are asked for."""

    def __init__(self, status: Grpc, message: str) -> None:
        super().__init__(f'<AioRpcError:\n\tstatus = {status}\n\tdetails = "{message}">')
        self.code, self.details = lambda: status, lambda: message


class GenAI(Exception):
    """An error of `google.genai`."""

    def __init__(self, code: int, told: Any) -> None:
        inner = told[0]["error"] if isinstance(told, list) else told.get("error", told)
        self.code, self.details, self.response = code, told, None
        self.status, self.message = inner.get("status"), inner.get("message")
        super().__init__(f"{code} {self.status}. {told}")


class HttpStatus(Exception):
    """An error of an httpx response, as Mistral's class raises it."""

    def __init__(self, message: str, status: int, text: str) -> None:
        super().__init__(message)
        self.response = SimpleNamespace(status_code=status, text=text, headers={})


class MistralSdk(Exception):
    """An error of Mistral's own package."""

    def __init__(self, message: str, status: int, body: str) -> None:
        super().__init__(f"{message}: Status {status}. Body: {body}")
        self.status_code, self.body, self.message = status, body, message


class Amazon(Exception):
    """A `ClientError` of Amazon's package."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(
            f"An error occurred ({code}) when calling the Converse operation: {message}"
        )
        self.response = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}},
        }


def wrapped(error: Exception) -> Exception:
    """Wrap an error as LangChain's class for Gemini does."""
    outer = RuntimeError(f"Invalid argument provided to Gemini: {error}")
    outer.__cause__ = error
    return outer


def google(code: int, status: str, message: str, **more: Any) -> Any:
    return {"error": {"code": code, "message": message, "status": status, **more}}


ERRORS: list[tuple[Exception, str]] = [
    (
        GoogleCall(
            HTTPStatus.BAD_REQUEST,
            Grpc.INVALID_ARGUMENT,
            "API key not valid. Please pass a valid API key.",
            "API_KEY_INVALID",
        ),
        "key_refused",
    ),
    (
        wrapped(
            GoogleCall(
                HTTPStatus.BAD_REQUEST,
                Grpc.INVALID_ARGUMENT,
                "API key not valid. Please pass a valid API key.",
                "API_KEY_INVALID",
            )
        ),
        "key_refused",
    ),
    (
        GoogleCall(
            HTTPStatus.BAD_REQUEST,
            Grpc.INVALID_ARGUMENT,
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        ),
        "context_too_long",
    ),
    (
        wrapped(
            GoogleCall(
                400,
                Grpc.INVALID_ARGUMENT,
                "The input token count exceeds the maximum number of tokens allowed 1048576.",
            )
        ),
        "context_too_long",
    ),
    (
        GoogleCall(
            HTTPStatus.TOO_MANY_REQUESTS,
            Grpc.RESOURCE_EXHAUSTED,
            "You exceeded your current quota, please check your plan and billing details. For more information ... * Quota exceeded for metric: generate_content_free_tier_requests, limit: 10 Please retry in 34.07s.",
        ),
        "rate_limited",
    ),
    (
        GoogleCall(
            HTTPStatus.TOO_MANY_REQUESTS,
            Grpc.RESOURCE_EXHAUSTED,
            "Resource has been exhausted (e.g. check quota).",
        ),
        "rate_limited",
    ),
    (
        GoogleCall(
            HTTPStatus.FORBIDDEN,
            Grpc.PERMISSION_DENIED,
            "Generative Language API has not been used in project 1 before or it is disabled.",
        ),
        "forbidden",
    ),
    (
        GoogleCall(
            HTTPStatus.UNAUTHORIZED,
            Grpc.UNAUTHENTICATED,
            "Request had invalid authentication credentials.",
        ),
        "key_refused",
    ),
    (
        GoogleCall(
            HTTPStatus.NOT_FOUND, Grpc.NOT_FOUND, "models/m is not found for API version v1beta"
        ),
        "model_not_found",
    ),
    (
        GoogleCall(
            HTTPStatus.SERVICE_UNAVAILABLE,
            Grpc.UNAVAILABLE,
            "The model is overloaded. Please try again later.",
        ),
        "provider_failed",
    ),
    (
        GoogleCall(
            HTTPStatus.SERVICE_UNAVAILABLE,
            Grpc.UNAVAILABLE,
            "failed to connect to all addresses; last error: UNKNOWN: ipv4:1.2.3.4:443: Connection refused",
        ),
        "provider_unreachable",
    ),
    (
        GoogleCall(HTTPStatus.GATEWAY_TIMEOUT, Grpc.DEADLINE_EXCEEDED, "Deadline Exceeded"),
        "provider_timeout",
    ),
    (
        GoogleCall(
            HTTPStatus.INTERNAL_SERVER_ERROR, Grpc.INTERNAL, "An internal error has occurred."
        ),
        "provider_failed",
    ),
    (
        GoogleCall(
            HTTPStatus.BAD_REQUEST,
            Grpc.FAILED_PRECONDITION,
            "User location is not supported for the API use.",
        ),
        "forbidden",
    ),
    (GrpcCall(Grpc.UNAVAILABLE, "The service is currently unavailable."), "provider_failed"),
    (GrpcCall(Grpc.RESOURCE_EXHAUSTED, "Quota exceeded for quota metric"), "rate_limited"),
    (
        GrpcCall(Grpc.UNAUTHENTICATED, "Request is missing required authentication credential."),
        "key_refused",
    ),
    (
        GrpcCall(
            Grpc.INVALID_ARGUMENT,
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
        ),
        "context_too_long",
    ),
    (GrpcCall(Grpc.INVALID_ARGUMENT, "Bad field."), "request_refused"),
    (GrpcCall(Grpc.NOT_FOUND, "models/m is not found"), "model_not_found"),
    (
        GenAI(
            400,
            google(
                400,
                "INVALID_ARGUMENT",
                "API key not valid. Please pass a valid API key.",
                details=[{"@type": "x", "reason": "API_KEY_INVALID"}],
            ),
        ),
        "key_refused",
    ),
    (
        wrapped(
            GenAI(
                400,
                google(
                    400,
                    "INVALID_ARGUMENT",
                    "API key expired. Please renew the API key.",
                    details=[{"@type": "x", "reason": "API_KEY_INVALID"}],
                ),
            )
        ),
        "key_refused",
    ),
    (
        GenAI(
            400,
            [
                google(
                    400,
                    "INVALID_ARGUMENT",
                    "The input token count (1) exceeds the maximum number of tokens allowed (1).",
                )
            ],
        ),
        "context_too_long",
    ),
    (
        GenAI(
            429,
            google(
                429,
                "RESOURCE_EXHAUSTED",
                "You exceeded your current quota, please check your plan and billing details.",
            ),
        ),
        "rate_limited",
    ),
    (
        GenAI(
            404,
            google(
                404,
                "NOT_FOUND",
                "models/m is not found for API version v1beta, or is not supported for generateContent.",
            ),
        ),
        "model_not_found",
    ),
    (
        GenAI(403, google(403, "PERMISSION_DENIED", "Your API key was reported as leaked.")),
        "key_refused",
    ),
    (GenAI(503, google(503, "UNAVAILABLE", "The model is overloaded.")), "provider_failed"),
    (GenAI(500, google(500, "INTERNAL", "An internal error has occurred.")), "provider_failed"),
    (
        GenAI(
            504,
            google(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
        ),
        "provider_timeout",
    ),
    (GenAI(400, {"message": "Bad Request", "status": "Bad Request"}), "request_refused"),
    (GenAI(404, {"message": "<html><title>404</title>", "status": "Not Found"}), "wrong_address"),
    (
        HttpStatus(
            'Error response 401 while fetching https://api.mistral.ai/v1/chat/completions: {"detail":"Unauthorized"}',
            401,
            '{"detail":"Unauthorized"}',
        ),
        "key_refused",
    ),
    (
        HttpStatus(
            "Error response 400 ...",
            400,
            '{"object":"error","message":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length","type":"invalid_request_prompt","code":"3051"}',
        ),
        "context_too_long",
    ),
    (
        HttpStatus(
            'Error response 400 while fetching https://api.mistral.ai/v1/chat/completions: {"object":"error","message":"Invalid model: m","type":"invalid_model","param":null,"code":"1500"}',
            400,
            "",
        ),
        "model_not_found",
    ),
    (
        HttpStatus(
            "Error response 429 ...",
            429,
            '{"object":"error","message":"Service tier capacity exceeded for this model.","type":"invalid_request_error","code":"3505"}',
        ),
        "rate_limited",
    ),
    (
        HttpStatus(
            "x", 422, '{"detail":[{"type":"value_error","loc":["body","messages"],"msg":"bad"}]}'
        ),
        "request_refused",
    ),
    (MistralSdk("API error occurred", 401, '{"message":"Unauthorized"}'), "key_refused"),
    (MistralSdk("API error occurred", 402, ""), "quota_exceeded"),
    (
        Amazon("ValidationException", "Input is too long for requested model.", 400),
        "context_too_long",
    ),
    (
        Amazon("ThrottlingException", "Too many tokens, please wait before trying again.", 429),
        "rate_limited",
    ),
    (
        Amazon(
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
            403,
        ),
        "forbidden",
    ),
    (
        Amazon(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            403,
        ),
        "key_refused",
    ),
    (
        Amazon(
            "ExpiredTokenException", "The security token included in the request is expired", 403
        ),
        "key_refused",
    ),
    (
        Amazon(
            "ResourceNotFoundException",
            "Could not resolve the foundation model from the provided model identifier.",
            404,
        ),
        "model_not_found",
    ),
    (Amazon("ModelNotReadyException", "Model is not ready for inference.", 429), "rate_limited"),
    (Amazon("ServiceQuotaExceededException", "quota", 400), "quota_exceeded"),
    (Amazon("ModelTimeoutException", "Model timed out", 408), "provider_timeout"),
    (
        Amazon("ServiceUnavailableException", "Bedrock is unable to process your request.", 503),
        "provider_failed",
    ),
]


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=[str(at) for at in range(len(ERRORS))])
def test_the_code_of_an_error_of_each_library(error: Exception, code: str) -> None:
    """T8, T10: wherever a class keeps the status, its name and the words."""
    assert code_of(error) == code
