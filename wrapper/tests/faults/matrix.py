"""What is to become of every operation under every fault, written down by hand.

Each row holds for the faults whose names follow it. A cell tells how an operation ends, for both twins:

    ok, or the first letters of the error's name: Conn for APIConnectionError, BadR for BadRequestError, ...
    $   may_have_been_charged
    ~   retryable
    #   the error carries the accepted job, as `video` and `video_id`
    2   requests arrived in all; + for as many as fitted in; 4/2: two of four were submits
    -   the fault cannot be: a download has no fields, a list of models has no status, ...

Where a file is asked for, `ok` says that the target is there, byte for byte, and anything else that it is not; there
never is a part file. `submit`, `poll` and `content` are `remix_to_file`, by the request that the fault hits. `posts` is
how many submits are allowed when the fault hits one. `most` is the longest time it may take, in seconds.
"""

from __future__ import annotations

import re

MATRIX = """
remix   retrieve wait  download submit     poll      content    models  posts most
Conn~0  Conn~0   Wait0 Conn~0   Conn~0/0   Wait#1/1  Conn#2/1   Conn~0  3     3.2
    refused
Time~0  Time~0   Wait0 Time~0   Time~0/0   Wait#1/1  Time#2/1   Time~0  3     3.2
    connect-stalled
Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
    hung-up-unread hung-up-as-request-comes hung-up-after-request reset-after-request cut-in-status-line
    cut-in-headers cut-before-body cut-in-id length-negative length-in-words length-beyond-astronomic
    length-differing chunk-extension-huge chunked-twice transfer-coding-unknown header-huge header-nameless
    header-with-nul header-blank-before-colon http-0.9 http-2 tls-to-plain-client status-of-two-digits
    status-line-not-http 101 redirect-to-nowhere redirect-to-no-name tls-reset-after-request key-in-first-line
    key-in-header-line
Conn$0  ok1      ok1   ok1      Conn$0/0   ok3/1     ok3/1      ok1     1     0.5
    reset-unread reset-as-request-comes
ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
    hung-up-idle trickled length-missing chunked chunked-with-trailers headers-many header-folded header-not-ascii
    header-without-blank header-lines-end-in-lf content-type-twice http-1.0 status-without-reason 100-before
    103-flood
Conn$1  Conn~3   Wait+ Conn~3   Conn$1/1   Wait#+/1  Conn#5/1   Conn~3  1     3.2
    hung-up-always cut-before-body-always
Time$1  ok2      ok2   ok2      Time$1/1   ok4/1     ok4/1      ok2     1     1.0
    stalled stalled-in-status-line stalled-in-headers stalled-before-body
Time$1  Time~3   Wait+ Time~3   Time$1/1   Wait#+/1  Time#5/1   Time~3  1     3.2
    stalled-always
Time$#1 ok2      ok2   ok2      Time$#1/1  ok4/1     ok4/1      ok2     1     1.0
    stalled-in-body stalled-before-last-byte
Conn$#1 ok2      ok2   ok2      Conn$#1/1  ok4/1     ok4/1      ok2     1     0.5
    cut-in-body cut-before-last-byte reset-in-body chunked-and-cut chunk-size-garbage chunk-size-negative
    tls-cut-in-body
Conn$#1 Conn~3   Wait+ Conn~+   Conn$#1/1  Wait#+/1  Conn#+/1   Conn~3  1     3.2
    cut-in-body-always
Time$#1 Time~1   ok2   ok1      Time$#1/1  ok4/1     Wait#3/1   Time~1  1     11.0
    trickled-for-seconds
Conn$#1 ok2      ok2   ok3      Conn$#1/1  ok4/1     ok5/1      ok2     1     0.5
    length-too-long length-astronomic chunked-without-end chunk-size-huge
Vali$#1 Vali1    ok2   ok2      Vali$#1/1  ok4/1     ok4/1      Vali1   1     0.5
    length-missing-and-cut
ok1     ok1      ok1   Down1    ok3/1      ok3/1     Down#3/1   ok1     1     0.5
    chunked-and-length 201 206-whole gzip gzip-in-name-only
Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
    200-without-body 204 page-200 error-200 null-200 list-200 nesting-deep gzip-bomb coding-unknown key-in-cut-json
    key-in-type
ok1     ok1      ok1   Down1    ok3/1      ok3/1     ok4/1      ok1     1     0.5
    202
Stat1   Stat1    Stat1 Stat1    Stat1/1    Stat#2/1  Stat#3/1   Stat1   1     0.5
    300 405 413 451 redirect-without-location
Stat$1  Stat1    Stat1 Stat1    Stat$1/1   Stat#2/1  Stat#3/1   Stat1   1     0.5
    304 600
BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     0.5
    400 400-flat 400-cut 400-chunk-garbage 422 key-in-error key-in-request-id
BadR1   BadR1    ok2   BadR1    BadR1/1    ok4/1     ok4/1      BadR1   1     0.5
    400-task-not-exist
BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  ok4/1      BadR1   1     0.5
    400-not-completed
BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     1.0
    400-stalled
Auth1   Auth1    Auth1 Auth1    Auth1/1    Auth#2/1  Auth#3/1   Auth1   1     0.5
    401
Insu1   Insu1    Insu1 Insu1    Insu1/1    Insu#2/1  Insu#3/1   Insu1   1     0.5
    402 403-quota
NotF1   NotF1    ok2   NotF1    NotF1/1    ok4/1     ok4/1      NotF1   1     0.5
    404 404-page
NotF1   NotF1    Wait+ NotF1    NotF1/1    Wait#+/1  Wait#+/1   NotF1   1     3.2
    404-always
Stat$1  ok2      ok2   ok2      Stat$1/1   ok4/1     ok4/1      ok2     1     0.5
    408
Conf1   Conf1    Conf1 Conf1    Conf1/1    Conf#2/1  Conf#3/1   Conf1   1     0.5
    409
ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
    429 429-retry-after-0 429-retry-after-short 429-retry-after-past 429-retry-after-nonsense
    429-retry-after-negative 500 500-empty 500-huge 500-gzip-bomb 503 503-retry-after-short
Rate~3  Rate~3   Wait+ Rate~3   Rate~3/3   Wait#+/1  Rate#5/1   Rate~3  3     3.2
    429-always
Rate~1  Rate~1   Wait1 Rate~1   Rate~1/1   Wait#2/1  Rate#3/1   Rate~1  1     3.2
    429-retry-after-long 429-retry-after-absurd
Serv$3  Serv~3   Wait+ Serv~3   Serv$3/3   Wait#+/1  Serv#5/1   Serv~3  3     3.2
    500-always
ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     1.0
    500-stalled
Serv$1  ok2      ok2   ok2      Serv$1/1   ok4/1     ok4/1      ok2     1     0.5
    501 502-page 504-page 520-page 524-page 530-page 599 500-do_request_failed 503-envoy-termination key-in-page
Serv$1  Serv~3   Wait+ Serv~3   Serv$1/1   Wait#+/1  Serv#5/1   Serv~3  1     3.2
    502-page-always 500-passed-on-always
Vali$#1 Vali1    ok2   -        Vali$#1/1  ok4/1     -          Vali1   1     0.5
    answer-of-2-MB event-stream
Vali$#1 Vali1    ok2   Down1    Vali$#1/1  ok4/1     Down#3/1   Vali1   1     0.5
    gzip-cut
ok1     ok1      ok1   -        ok3/1      ok3/1     -          ok1     1     0.5
    byte-order-mark utf-16 type-html-of-json
Vali$1  Vali1    ok2   -        Vali$1/1   ok4/1     -          -       1     0.5
    id-null id-blank id-with-newline
ok1     ok1      ok1   -        ok3/1      ok3/1     -          -       1     0.5
    id-in-data id-as-task-id fields-null fields-of-wrong-types fields-added progress-47% id-unusable-beside-task-id
    id-of-database-beside-task-id envelope envelope-below-id id-in-data-task-id
-       ok1      ok2   -        -          ok4/1     -          -       1     0.5
    id-of-another id-of-another-twice id-with-provider-twice id-of-another-failed
ok1     ok1      ok2   -        ok3/1      ok4/1     -          -       1     0.5
    id-alone status-NOT_START poll-hint-absurd poll-hint-nonsense error-without-status status-In-Progress
    status-pending status-submitted status-failing-over status-queued:-3
ok1     ok1      Wait+ -        Wait#+/1   Wait#+/1  -          -       1     3.2
    status-processing-always
ok1     ok1      ok1   -        ok+/1      ok3/1     -          -       1     0.5
    status-SUCCESS status-complete status-succeeded status-finished status-Done status-COMPLETED
ok1     ok1      Fail1 -        Fail#1/1   Fail#2/1  -          -       1     0.5
    status-failed status-cancelled status-expired status-fail status-FAILURE status-error status-rejected
    status-time-out status-deleted status-canceled status-failed:-moderation status-failure-enveloped
Serv$1  ok2      -     -        Serv$1/1   -         -          -       1     0.5
    500-read_response_body_failed 500-unmarshal_response_body_failed 500-invalid_response 503-do_request_failed
    503-read_response_body_failed 500-passed-on-in-an-error 500-passed-on-as-a-type 500-server-disconnected
    500-payload-incomplete 500-answer-not-valid 500-disconnected-in-prose 503-envoy-remote-reset
    503-envoy-protocol-error 503-first-byte-timeout 503-backend-read-error 507-page 521-page 522-page 523-page
    525-page 526-page id-but-no-job-in-502
ok2     ok2      -     -        ok4/2      -         -          -       2     0.5
    503-envoy-overflow 503-envoy-connection-failure 503-envoy-connection-timeout 503-no-healthy-upstream
    503-overloaded 503-page 503-empty 500-page 500-detail 429-page id-but-no-job-in-503
Serv1   Serv1    Serv1 Serv1    Serv1/1    Serv#2/1  Serv#3/1   Serv1   1     0.5
    503-model_not_found
Serv1   Serv1    -     -        Serv1/1    -         -          -       1     0.5
    503-model_not_available 503-insufficient_user_quota
Serv$1  Serv1    -     -        Serv$1/1   -         -          -       1     0.5
    500-model_not_found 500-insufficient_user_quota
Rate1   Rate1    Rate1 -        Rate1/1    Rate#2/1  -          -       1     0.5
    429-insufficient_quota
Serv~3  Serv~3   Wait+ Serv~3   Serv~3/3   Wait#+/1  Serv#5/1   Serv~3  3     3.2
    503-always
BadR$2  BadR2    BadR2 BadR2    BadR$2/2   BadR#3/1  BadR#4/1   BadR2   2     0.5
    500-then-400
Auth$2  Auth2    -     -        Auth$2/2   -         -          -       2     0.5
    500-then-401
Serv$2  ok3      -     -        Serv$2/2   -         -          -       2     0.5
    500-then-502
Rate$2  Rate~2   -     -        Rate$2/2   -         -          -       2     3.2
    500-then-429-for-long
BadR2   BadR2    -     -        BadR2/2    -         -          -       2     0.5
    503-then-400 429-then-400
ok3     ok3      -     -        ok5/3      -         -          -       3     0.5
    429-then-500
Conn$#2 ok3      -     -        Conn$#2/2  -         -          -       2     0.5
    503-then-cut-in-body
Conn$1  ok2      -     -        Conn$1/1   -         -          -       1     0.5
    102-and-closed 199-and-closed
Time$1  ok2      -     -        Time$1/1   -         -          -       1     1.0
    199-and-silent
Stat$1  Stat1    -     Stat1    Stat$1/1   -         Stat#3/1   -       1     0.5
    303
Stat1   Stat1    -     -        Stat1/1    -         -          -       1     0.5
    305 306 410 418 421 423 424 426 428 431 499
Stat$1  Stat1    -     -        Stat$1/1   -         -          -       1     0.5
    601 666 700 799 999
Perm1   Perm1    Perm1 -        Perm1/1    Perm#2/1  -          -       1     0.5
    403 403-page
Stat1   Stat1    -     Stat1    Stat1/1    -         ok4/1      -       1     0.5
    425
Insu1   Insu1    -     -        Insu1/1    -         -          -       1     0.5
    402-page 403-billing_hard_limit_reached 403-insufficient_balance 403-type-quota
Stat$1  ok2      -     -        Stat$1/1   -         -          -       1     0.5
    408-page
Auth1   Auth1    -     -        Auth1/1    -         -          -       1     0.5
    401-detail
BadR1   BadR1    -     -        BadR1/1    -         -          -       1     0.5
    422-detail-list 400-code-is-status
Stat$#1 Stat1    -     -        Stat$#1/1  -         -          -       1     0.5
    job-in-302 job-in-303 job-in-600
BadR$#1 BadR1    -     -        BadR$#1/1  -         -          -       1     0.5
    job-in-400
Insu$#1 Insu1    -     -        Insu$#1/1  -         -          -       1     0.5
    job-in-402
NotF$#1 NotF1    -     -        NotF$#1/1  -         -          -       1     0.5
    job-in-404
Stat$#1 ok2      -     -        Stat$#1/1  -         -          -       1     0.5
    job-in-408
Conf$#1 Conf1    -     -        Conf$#1/1  -         -          -       1     0.5
    job-in-409
Rate$#1 ok2      -     -        Rate$#1/1  -         -          -       1     0.5
    job-in-429
Serv$#1 ok2      -     -        Serv$#1/1  -         -          -       1     0.5
    job-in-500 job-in-504 job-in-520 job-in-502-enveloped job-in-502-as-a-page job-in-cut-502
Serv$#1 ok2      ok1   -        Serv$#1/1  ok3/1     -          -       1     0.5
    job-in-502 job-in-503
Serv$#1 ok2      Fail1 -        Serv$#1/1  Fail#2/1  -          -       1     0.5
    job-failed-in-502
Vali$1  Vali1    -     -        Vali$1/1   ok4/1     -          -       1     0.5
    id-with-tab id-with-nul id-with-escape id-with-del id-with-c1 id-with-lone-surrogate id-dot id-dot-dot
    id-boolean id-fraction id-list id-object
-       ok1      ok1   -        -          ok3/1     -          -       1     0.5
    id-of-upstream-beside-task-id
-       ok1      ok4   -        -          ok6/1     -          -       1     0.5
    id-another-each-time
-       ok1      Fail2 -        -          Fail#3/1  -          -       1     0.5
    id-of-another-failed-twice
ok1     ok1      ok3   -        ok4/1      ok5/1     -          -       1     0.5
    error-without-status-twice
ok1     ok1      Fail3 -        Fail#4/1   Fail#4/1  -          -       1     0.5
    error-without-status-always fail_reason-without-status-always detail-without-status-always
Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
    redirect-to-same-path redirect-relative redirect-301 redirect-308 redirect-to-other-port redirect-to-other-host
    redirect-to-other-scheme redirect-to-closed-port redirect-with-user
Stat$1  Stat1    Stat1 ok2      Stat$1/1   Stat#2/1  ok4/1      Stat1   1     0.5
    redirect-303
Stat1   Stat1    Stat1 Down1    Stat1/1    Stat#2/1  Down#3/1   Stat1   1     0.5
    redirect-to-http redirect-to-file redirect-to-no-port redirect-with-key
Stat1   Stat1    Stat1 Down6    Stat1/1    Stat#2/1  Down#8/1   Stat1   1     0.5
    redirect-loop
Conn0   Conn0    Conn0 Conn0    Conn0/0    Conn#1/1  Conn#2/1   Conn0   1     0.5
    tls-expired tls-wrong-host tls-unknown-authority tls-self-signed
ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     2     1.0
    tls-stalled
ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     2     0.5
    tls-hung-up tls-reset
-       -        -     BadR1    -          -         ok4/1      -       0     0.5
    not-completed-once 400-not-ready 422-not-ready
-       -        -     BadR1    -          -         Wait#+/1   -       0     2.2
    not-completed-always
-       -        -     BadR1    -          -         ok8/1      -       0     0.5
    not-completed-then-502
-       -        -     Down1    -          -         ok4/1      -       0     0.5
    not-completed-as-200 202-json 202-empty
-       -        -     Down1    -          -         Down#3/1   -       0     0.5
    type-json type-text empty empty-in-chunks 206-unasked json-as-video json-without-type json-list-as-binary
    page-as-video page-without-type xml-as-video xml-in-chunks picture-for-a-video
-       -        -     ok1      -          -         ok3/1      -       0     0.5
    type-missing type-binary type-in-capitals content-range-on-200
-       -        -     ok5      -          -         ok7/1      -       0     0.5
    in-pieces-of-10-kB
-       -        -     ok2      -          -         ok4/1      -       0     0.5
    cut-untagged cut-weakly-tagged cut-then-another-file cut-then-200 mp4-cut-at-box mp4-cut-after-moov
    mp4-without-moov cut-dated cut-dated-too-late cut-dated-without-date
-       -        -     Conn~4   -          -         Conn#6/1   -       0     0.5
    cut-then-always-another
-       -        -     ok3      -          -         ok5/1      -       0     0.5
    cut-206-of-another cut-206-untagged cut-206-elsewhere cut-206-of-other-total cut-206-of-no-total
    cut-206-rangeless cut-206-cut cut-then-416 cut-then-502 redirect-then-502 redirect-then-hung-up
    cut-dated-206-of-another cut-dated-206-undated
-       -        -     Down2    -          -         Down#4/1   -       0     0.5
    cut-206-multipart cut-then-page redirect-then-page
-       -        -     NotF2    -          -         ok5/1      -       0     0.5
    cut-then-404
-       -        -     Stat1    -          -         Stat#3/1   -       0     0.5
    416-unasked
-       -        -     ok4      -          -         ok6/1      -       0     0.5
    redirect-then-cut
-       -        -     Perm2    -          -         Perm#4/1   -       0     0.5
    redirect-then-403
-       -        -     ok3      -          -         ok5/1      -       0     1.0
    redirect-then-stalled
-       -        -     NotF1    -          -         ok4/1      -       0     0.5
    404-still-in-progress 404-task-not-found
-       -        -     Conf1    -          -         ok4/1      -       0     0.5
    409-not-ready
-       -        -     Down1    -          -         Wait#+/1   -       0     3.2
    202-always
-       -        -     ok1      -          -         -          -       0     0.5
    webp-without-length jpeg-without-length
-       -        -     ok2      -          -         -          -       0     0.5
    webp-cut webp-cut-before-last-byte jpeg-cut jpeg-cut-before-last-byte
-       -        -     Down1    -          -         -          -       0     0.5
    json-as-picture video-for-a-thumbnail video-for-a-spritesheet
"""


def _by_name(table: str) -> dict[str, dict[str, str]]:
    """What is expected of each fault, as a mapping from column to cell. Faults that end alike share a row."""
    columns, *lines = table.strip().splitlines()
    expected: dict[str, dict[str, str]] = {}
    row: dict[str, str] = {}
    for line in lines:
        if line.startswith(" "):
            expected |= dict.fromkeys(line.split(), row)
        else:
            row = dict(zip(columns.split(), line.split(), strict=True))
    return expected


# The columns but for the last two.
OPERATIONS = tuple(MATRIX.strip().partition("\n")[0].split()[:-2])
EXPECTED = _by_name(MATRIX)


def agree(outcome: str, cell: str) -> bool:
    """Whether an outcome is what a cell says; + stands for any number."""
    pattern = re.escape(cell).replace(r"\+", "[0-9]+")
    return re.fullmatch(pattern, outcome) is not None
