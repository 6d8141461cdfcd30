"""Clients for AWS's own models, and what their refusals mean.

The error codes are those of botocore's service models for Polly and Bedrock Runtime, with the common errors of
every AWS service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoAuthTokenError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)

from showrunner.errors import Auth, InvalidInput, Quota, RateLimited, StageError, Sunset, Transient
from showrunner.providers.http import retry_after

CONNECT_SECONDS = 10.0
_STEPS = (1.0, 2.0, 5.0, 10.0, 20.0)

_RATE_LIMITED = {"ThrottlingException", "Throttling", "ThrottledException", "TooManyRequestsException", "SlowDown"}
_RATE_LIMITED |= {"RequestLimitExceeded", "RequestThrottled"}
_QUOTA = {"ServiceQuotaExceededException", "LimitExceededException"}
_TRANSIENT = {"ModelTimeoutException", "InternalServerException", "ServiceUnavailableException"}
_TRANSIENT |= {"ModelNotReadyException", "ModelErrorException", "ServiceFailureException", "InternalFailure"}
_TRANSIENT |= {"ModelStreamErrorException"}
_AUTH = {"AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidClientTokenId"}
_AUTH |= {"ExpiredTokenException", "ExpiredToken", "InvalidSignatureException", "SignatureDoesNotMatch"}
_AUTH |= {"MissingAuthenticationTokenException", "MissingAuthenticationToken", "IncompleteSignature", "OptInRequired"}
_SUNSET = {"ResourceNotFoundException", "ModelNotFoundException"}
_NO_LOGIN = (NoCredentialsError, PartialCredentialsError, NoAuthTokenError)
# Bedrock counts tokens per minute and per day under the same code; only the text tells which.
_NEXT_TRY_OF_A_DAILY_LIMIT_SECONDS = 3600.0


def client(service: str, base_url: str | None, timeout: float, region: str | None = None) -> Any:
    """Return a boto3 client, of the function's own region or another, that asks once and gives up within `timeout`
    seconds.

    Retries belong to the engine, which counts them; botocore's own would charge twice unseen. An endpoint that the
    environment configures for other services is ignored.
    """
    if timeout <= 0:
        raise Transient(f"No time was left to ask {service}.")
    return _client(service, base_url, _step_below(timeout), region)


@contextmanager
def stage_errors(service: str, permission: str, subject: str) -> Iterator[None]:
    """Turn what botocore raises into a `StageError`; `subject` says what was asked for, e.g. `voice 'Amy'`."""
    try:
        yield
    except ClientError as error:
        raise _of_reply(error, service, permission, subject) from error
    except BotoCoreError as error:
        raise _of_fault(error, service, subject) from error


def events(stream: Iterable[Any], service: str) -> Iterator[Any]:
    """Give the events of a reply that comes as a stream; what botocore passes on from below it becomes `Transient`."""
    from botocore.eventstream import ParserError
    from urllib3.exceptions import HTTPError

    try:
        yield from stream
    except (ParserError, HTTPError, OSError) as error:
        raise Transient(f"{service} could not be reached or broke off ({type(error).__name__}).") from error


def _of_reply(error: ClientError, service: str, permission: str, subject: str) -> StageError:
    code = error.response.get("Error", {}).get("Code", "")
    # An error that comes as an event of a stream is named by that event, which begins with a small letter.
    code = code[:1].upper() + code[1:]
    said = " ".join(error.response.get("Error", {}).get("Message", "").split())[:200].rstrip(".")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    wait = retry_after(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}))
    if code in _QUOTA or status == 402:
        return Quota(f"{service}: the account's quota is exhausted ({code}); raise it in Service Quotas.")
    if code in _TRANSIENT:
        return Transient(f"{service} failed for the moment ({code}).", retry_after=wait)
    if code in _RATE_LIMITED or status == 429:
        daily = _NEXT_TRY_OF_A_DAILY_LIMIT_SECONDS if "per day" in said else None
        return RateLimited(f"{service} asked to slow down ({code}).", retry_after=wait or daily)
    if code in _AUTH or status in (401, 403):
        return Auth(f"{service} refused the credentials ({code}); the role needs {permission} for {subject}.")
    if code in _SUNSET:
        return Sunset(f'{service} does not serve {subject}: "{said}"; choose another one.')
    if status in (408, 409, 424) or status >= 500:
        return Transient(f"{service} failed for the moment ({code or status}).", retry_after=wait)
    return InvalidInput(f'{service} rejected the request for {subject} ({code or status}): "{said}".')


def _of_fault(error: BotoCoreError, service: str, subject: str) -> StageError:
    if isinstance(error, NoRegionError):
        return Auth(f"{service}: no region is configured; set AWS_DEFAULT_REGION.")
    if isinstance(error, _NO_LOGIN):
        return Auth(f"{service}: no AWS credentials were found; give the function a role or set AWS_ACCESS_KEY_ID.")
    if isinstance(error, ParamValidationError):
        return InvalidInput(f"{service} cannot be asked for {subject}: {' '.join(str(error).split())[:200]}.")
    if isinstance(error, HTTPClientError):
        return Transient(f"{service} could not be reached or broke off ({type(error).__name__}).")
    return Transient(f"{service} failed for the moment ({type(error).__name__}).")


def _step_below(timeout: float) -> float:
    """Return a round number of seconds at or below `timeout`, so that few clients serve many calls."""
    if timeout >= 30:
        return timeout // 30 * 30
    return max((step for step in _STEPS if step <= timeout), default=timeout)


@lru_cache(maxsize=16)
def _client(service: str, base_url: str | None, seconds: float, region: str | None) -> Any:
    import boto3
    from botocore.config import Config

    # The type stubs do not know the last option yet.
    config = Config(  # type: ignore[call-arg]
        connect_timeout=min(CONNECT_SECONDS, seconds),
        read_timeout=seconds,
        retries={"total_max_attempts": 1, "mode": "standard"},
        ignore_configured_endpoint_urls=True,
    )
    make: Any = boto3.client
    return make(service, region_name=region, endpoint_url=base_url, config=config)
