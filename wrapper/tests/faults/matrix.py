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
Time$#1 Time~1   ok2   ok1      Time$#1/1  ok4/1     Wait#3/1   Time~1  1     4.5
    trickled-for-seconds
Conn$#1 ok2      ok2   ok3      Conn$#1/1  ok4/1     ok5/1      ok2     1     0.5
    length-too-long length-astronomic chunked-without-end chunk-size-huge
Vali$#1 Vali1    ok2   ok2      Vali$#1/1  ok4/1     ok4/1      Vali1   1     0.5
    length-missing-and-cut
ok1     ok1      ok1   Down1    ok3/1      ok3/1     Down#3/1   ok1     1     0.5
    chunked-and-length 201 202 206-whole gzip gzip-in-name-only
Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
    200-without-body 204 page-200 error-200 null-200 list-200 nesting-deep gzip-bomb coding-unknown key-in-cut-json
    key-in-type
Stat1   Stat1    Stat1 Stat1    Stat1/1    Stat#2/1  Stat#3/1   Stat1   1     0.5
    300 304 402 405 413 451 600 redirect-without-location
BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     0.5
    400 400-flat 400-cut 400-chunk-garbage 422 key-in-error key-in-request-id
BadR1   BadR1    BadR1 BadR1    BadR1/1    ok4/1     BadR#3/1   BadR1   1     0.5
    400-task-not-exist
BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  ok4/1      BadR1   1     0.5
    400-not-completed
BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     1.0
    400-stalled
Auth1   Auth1    Auth1 Auth1    Auth1/1    Auth#2/1  Auth#3/1   Auth1   1     0.5
    401
Perm1   Perm1    Perm1 Perm1    Perm1/1    Perm#2/1  Perm#3/1   Perm1   1     0.5
    403-quota
NotF1   NotF1    NotF1 NotF1    NotF1/1    ok4/1     NotF#3/1   NotF1   1     0.5
    404
NotF1   NotF1    NotF1 NotF1    NotF1/1    Wait#+/1  NotF#3/1   NotF1   1     3.2
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
Serv~3  Serv~3   Wait+ Serv~3   Serv~3/3   Wait#+/1  Serv#5/1   Serv~3  3     3.2
    500-always
ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     1.0
    500-stalled
Serv$1  ok2      ok2   ok2      Serv$1/1   ok4/1     ok4/1      ok2     1     0.5
    501 502-page 504-page 520-page 524-page 530-page 599 key-in-page
Serv$1  Serv~3   Wait+ Serv~3   Serv$1/1   Wait#+/1  Serv#5/1   Serv~3  1     3.2
    502-page-always
Vali$#1 Vali1    ok2   -        Vali$#1/1  ok4/1     -          Vali1   1     0.5
    answer-of-2-MB event-stream
Vali$#1 Vali1    ok2   Down1    Vali$#1/1  ok4/1     Down#3/1   Vali1   1     0.5
    gzip-cut
ok1     ok1      ok1   -        ok3/1      ok3/1     -          ok1     1     0.5
    byte-order-mark utf-16 type-html-of-json
Vali$1  Vali1    ok2   -        Vali$1/1   ok4/1     -          -       1     0.5
    id-null id-blank
ok1     ok1      ok1   -        ok3/1      ok3/1     -          -       1     0.5
    id-in-data id-as-task-id fields-null fields-of-wrong-types fields-added progress-47%
-       Vali1    ok2   -        -          ok4/1     -          -       1     0.5
    id-of-another
ok1     ok1      ok2   -        ok3/1      ok4/1     -          -       1     0.5
    id-alone status-NOT_START poll-hint-absurd poll-hint-nonsense
ok1     ok1      Wait+ -        Wait#+/1   Wait#+/1  -          -       1     3.2
    status-processing-always
ok1     ok1      ok1   -        ok+/1      ok3/1     -          -       1     0.5
    status-SUCCESS
ok1     ok1      Fail1 -        Fail#1/1   Fail#2/1  -          -       1     0.5
    status-failed status-cancelled status-expired
Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
    redirect-to-same-path redirect-relative redirect-301 redirect-303 redirect-308 redirect-to-other-port
    redirect-to-other-host redirect-to-other-scheme redirect-to-closed-port redirect-with-user
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
    not-completed-once
-       -        -     BadR1    -          -         Wait#+/1   -       0     2.2
    not-completed-always
-       -        -     BadR1    -          -         ok8/1      -       0     0.5
    not-completed-then-502
-       -        -     Down1    -          -         ok4/1      -       0     0.5
    not-completed-as-200
-       -        -     Down1    -          -         Down#3/1   -       0     0.5
    type-json type-text empty empty-in-chunks 206-unasked
-       -        -     ok1      -          -         ok3/1      -       0     0.5
    type-missing type-binary type-in-capitals content-range-on-200
-       -        -     ok5      -          -         ok7/1      -       0     0.5
    in-pieces-of-10-kB
-       -        -     ok2      -          -         ok4/1      -       0     0.5
    cut-untagged cut-weakly-tagged cut-then-another-file cut-then-200
-       -        -     Conn~4   -          -         Conn#6/1   -       0     0.5
    cut-then-always-another
-       -        -     ok3      -          -         ok5/1      -       0     0.5
    cut-206-of-another cut-206-untagged cut-206-elsewhere cut-206-of-other-total cut-206-of-no-total
    cut-206-rangeless cut-206-cut cut-then-416 cut-then-502 redirect-then-502 redirect-then-hung-up
-       -        -     Down2    -          -         Down#4/1   -       0     0.5
    cut-206-multipart cut-then-page redirect-then-page
-       -        -     NotF2    -          -         NotF#4/1   -       0     0.5
    cut-then-404
-       -        -     Stat1    -          -         Stat#3/1   -       0     0.5
    416-unasked
-       -        -     ok4      -          -         ok6/1      -       0     0.5
    redirect-then-cut
-       -        -     Perm2    -          -         Perm#4/1   -       0     0.5
    redirect-then-403
-       -        -     ok3      -          -         ok5/1      -       0     1.0
    redirect-then-stalled
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


EXPECTED = _by_name(MATRIX)


def agree(outcome: str, cell: str) -> bool:
    """Whether an outcome is what a cell says; + stands for any number."""
    pattern = re.escape(cell).replace(r"\+", "[0-9]+")
    return re.fullmatch(pattern, outcome) is not None
