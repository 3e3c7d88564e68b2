"""What is to become of every operation under every fault, written down by hand.

A cell tells how an operation ends, for both twins:

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
fault                     remix   retrieve wait  download submit     poll      content    models  posts most
refused                   Conn~0  Conn~0   Wait0 Conn~0   Conn~0/0   Wait#1/1  Conn#2/1   Conn~0  3     3.2
connect-stalled           Time~0  Time~0   Wait0 Time~0   Time~0/0   Wait#1/1  Time#2/1   Time~0  3     3.2
hung-up-unread            Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
reset-unread              Conn$0  ok1      ok1   ok1      Conn$0/0   ok3/1     ok3/1      ok1     1     0.5
hung-up-idle              ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
hung-up-as-request-comes  Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
reset-as-request-comes    Conn$0  ok1      ok1   ok1      Conn$0/0   ok3/1     ok3/1      ok1     1     0.5
hung-up-after-request     Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
hung-up-always            Conn$1  Conn~3   Wait+ Conn~3   Conn$1/1   Wait#+/1  Conn#5/1   Conn~3  1     3.2
reset-after-request       Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
stalled                   Time$1  ok2      ok2   ok2      Time$1/1   ok4/1     ok4/1      ok2     1     1.0
stalled-always            Time$1  Time~3   Wait+ Time~3   Time$1/1   Wait#+/1  Time#5/1   Time~3  1     3.2
stalled-in-status-line    Time$1  ok2      ok2   ok2      Time$1/1   ok4/1     ok4/1      ok2     1     1.0
stalled-in-headers        Time$1  ok2      ok2   ok2      Time$1/1   ok4/1     ok4/1      ok2     1     1.0
stalled-before-body       Time$1  ok2      ok2   ok2      Time$1/1   ok4/1     ok4/1      ok2     1     1.0
stalled-in-body           Time$#1 ok2      ok2   ok2      Time$#1/1  ok4/1     ok4/1      ok2     1     1.0
stalled-before-last-byte  Time$#1 ok2      ok2   ok2      Time$#1/1  ok4/1     ok4/1      ok2     1     1.0
cut-in-status-line        Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
cut-in-headers            Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
cut-before-body           Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
cut-before-body-always    Conn$1  Conn~3   Wait+ Conn~3   Conn$1/1   Wait#+/1  Conn#5/1   Conn~3  1     3.2
cut-in-id                 Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
cut-in-body               Conn$#1 ok2      ok2   ok2      Conn$#1/1  ok4/1     ok4/1      ok2     1     0.5
cut-in-body-always        Conn$#1 Conn~3   Wait+ Conn~+   Conn$#1/1  Wait#+/1  Conn#+/1   Conn~3  1     3.2
cut-before-last-byte      Conn$#1 ok2      ok2   ok2      Conn$#1/1  ok4/1     ok4/1      ok2     1     0.5
reset-in-body             Conn$#1 ok2      ok2   ok2      Conn$#1/1  ok4/1     ok4/1      ok2     1     0.5
trickled                  ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
trickled-for-seconds      Time$#1 Time~1   ok2   ok1      Time$#1/1  ok4/1     Wait#3/1   Time~1  1     4.5
length-too-long           Conn$#1 ok2      ok2   ok3      Conn$#1/1  ok4/1     ok5/1      ok2     1     0.5
length-negative           Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
length-in-words           Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
length-astronomic         Conn$#1 ok2      ok2   ok3      Conn$#1/1  ok4/1     ok5/1      ok2     1     0.5
length-beyond-astronomic  Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
length-differing          Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
length-missing            ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
length-missing-and-cut    Vali$#1 Vali1    ok2   ok2      Vali$#1/1  ok4/1     ok4/1      Vali1   1     0.5
chunked                   ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
chunked-with-trailers     ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
chunked-and-length        ok1     ok1      ok1   Down1    ok3/1      ok3/1     Down#3/1   ok1     1     0.5
chunked-and-cut           Conn$#1 ok2      ok2   ok2      Conn$#1/1  ok4/1     ok4/1      ok2     1     0.5
chunked-without-end       Conn$#1 ok2      ok2   ok3      Conn$#1/1  ok4/1     ok5/1      ok2     1     0.5
chunk-size-garbage        Conn$#1 ok2      ok2   ok2      Conn$#1/1  ok4/1     ok4/1      ok2     1     0.5
chunk-size-negative       Conn$#1 ok2      ok2   ok2      Conn$#1/1  ok4/1     ok4/1      ok2     1     0.5
chunk-size-huge           Conn$#1 ok2      ok2   ok3      Conn$#1/1  ok4/1     ok5/1      ok2     1     0.5
chunk-extension-huge      Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
chunked-twice             Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
transfer-coding-unknown   Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
header-huge               Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
headers-many              ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
header-folded             ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
header-not-ascii          ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
header-nameless           Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
header-with-nul           Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
header-blank-before-colon Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
header-without-blank      ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
header-lines-end-in-lf    ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
content-type-twice        ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
http-1.0                  ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
http-0.9                  Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
http-2                    Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
tls-to-plain-client       Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
status-without-reason     ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
status-of-two-digits      Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
status-line-not-http      Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
100-before                ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
103-flood                 ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     1     0.5
101                       Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
200-without-body          Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
201                       ok1     ok1      ok1   Down1    ok3/1      ok3/1     Down#3/1   ok1     1     0.5
202                       ok1     ok1      ok1   Down1    ok3/1      ok3/1     Down#3/1   ok1     1     0.5
204                       Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
206-whole                 ok1     ok1      ok1   Down1    ok3/1      ok3/1     Down#3/1   ok1     1     0.5
300                       Stat1   Stat1    Stat1 Stat1    Stat1/1    Stat#2/1  Stat#3/1   Stat1   1     0.5
304                       Stat1   Stat1    Stat1 Stat1    Stat1/1    Stat#2/1  Stat#3/1   Stat1   1     0.5
400                       BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     0.5
400-flat                  BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     0.5
400-task-not-exist        BadR1   BadR1    BadR1 BadR1    BadR1/1    ok4/1     BadR#3/1   BadR1   1     0.5
400-not-completed         BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  ok4/1      BadR1   1     0.5
400-cut                   BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     0.5
400-stalled               BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     1.0
400-chunk-garbage         BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     0.5
401                       Auth1   Auth1    Auth1 Auth1    Auth1/1    Auth#2/1  Auth#3/1   Auth1   1     0.5
402                       Stat1   Stat1    Stat1 Stat1    Stat1/1    Stat#2/1  Stat#3/1   Stat1   1     0.5
403-quota                 Perm1   Perm1    Perm1 Perm1    Perm1/1    Perm#2/1  Perm#3/1   Perm1   1     0.5
404                       NotF1   NotF1    NotF1 NotF1    NotF1/1    ok4/1     NotF#3/1   NotF1   1     0.5
404-always                NotF1   NotF1    NotF1 NotF1    NotF1/1    Wait#+/1  NotF#3/1   NotF1   1     3.2
405                       Stat1   Stat1    Stat1 Stat1    Stat1/1    Stat#2/1  Stat#3/1   Stat1   1     0.5
408                       Stat$1  ok2      ok2   ok2      Stat$1/1   ok4/1     ok4/1      ok2     1     0.5
409                       Conf1   Conf1    Conf1 Conf1    Conf1/1    Conf#2/1  Conf#3/1   Conf1   1     0.5
413                       Stat1   Stat1    Stat1 Stat1    Stat1/1    Stat#2/1  Stat#3/1   Stat1   1     0.5
422                       BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     0.5
429                       ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
429-always                Rate~3  Rate~3   Wait+ Rate~3   Rate~3/3   Wait#+/1  Rate#5/1   Rate~3  3     3.2
429-retry-after-0         ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
429-retry-after-short     ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
429-retry-after-past      ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
429-retry-after-nonsense  ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
429-retry-after-negative  ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
429-retry-after-long      Rate~1  Rate~1   Wait1 Rate~1   Rate~1/1   Wait#2/1  Rate#3/1   Rate~1  1     3.2
429-retry-after-absurd    Rate~1  Rate~1   Wait1 Rate~1   Rate~1/1   Wait#2/1  Rate#3/1   Rate~1  1     3.2
451                       Stat1   Stat1    Stat1 Stat1    Stat1/1    Stat#2/1  Stat#3/1   Stat1   1     0.5
500                       ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
500-always                Serv~3  Serv~3   Wait+ Serv~3   Serv~3/3   Wait#+/1  Serv#5/1   Serv~3  3     3.2
500-empty                 ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
500-stalled               ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     1.0
500-huge                  ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
500-gzip-bomb             ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
501                       Serv$1  ok2      ok2   ok2      Serv$1/1   ok4/1     ok4/1      ok2     1     0.5
502-page                  Serv$1  ok2      ok2   ok2      Serv$1/1   ok4/1     ok4/1      ok2     1     0.5
502-page-always           Serv$1  Serv~3   Wait+ Serv~3   Serv$1/1   Wait#+/1  Serv#5/1   Serv~3  1     3.2
503                       ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
503-retry-after-short     ok2     ok2      ok2   ok2      ok4/2      ok4/1     ok4/1      ok2     2     0.5
504-page                  Serv$1  ok2      ok2   ok2      Serv$1/1   ok4/1     ok4/1      ok2     1     0.5
520-page                  Serv$1  ok2      ok2   ok2      Serv$1/1   ok4/1     ok4/1      ok2     1     0.5
524-page                  Serv$1  ok2      ok2   ok2      Serv$1/1   ok4/1     ok4/1      ok2     1     0.5
530-page                  Serv$1  ok2      ok2   ok2      Serv$1/1   ok4/1     ok4/1      ok2     1     0.5
599                       Serv$1  ok2      ok2   ok2      Serv$1/1   ok4/1     ok4/1      ok2     1     0.5
600                       Stat1   Stat1    Stat1 Stat1    Stat1/1    Stat#2/1  Stat#3/1   Stat1   1     0.5
page-200                  Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
error-200                 Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
null-200                  Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
list-200                  Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
nesting-deep              Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
answer-of-2-MB            Vali$#1 Vali1    ok2   -        Vali$#1/1  ok4/1     -          Vali1   1     0.5
gzip                      ok1     ok1      ok1   Down1    ok3/1      ok3/1     Down#3/1   ok1     1     0.5
gzip-in-name-only         ok1     ok1      ok1   Down1    ok3/1      ok3/1     Down#3/1   ok1     1     0.5
gzip-cut                  Vali$#1 Vali1    ok2   Down1    Vali$#1/1  ok4/1     Down#3/1   Vali1   1     0.5
gzip-bomb                 Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
coding-unknown            Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
byte-order-mark           ok1     ok1      ok1   -        ok3/1      ok3/1     -          ok1     1     0.5
utf-16                    ok1     ok1      ok1   -        ok3/1      ok3/1     -          ok1     1     0.5
event-stream              Vali$#1 Vali1    ok2   -        Vali$#1/1  ok4/1     -          Vali1   1     0.5
type-html-of-json         ok1     ok1      ok1   -        ok3/1      ok3/1     -          ok1     1     0.5
id-null                   Vali$1  Vali1    ok2   -        Vali$1/1   ok4/1     -          -       1     0.5
id-blank                  Vali$1  Vali1    ok2   -        Vali$1/1   ok4/1     -          -       1     0.5
id-in-data                ok1     ok1      ok1   -        ok3/1      ok3/1     -          -       1     0.5
id-as-task-id             ok1     ok1      ok1   -        ok3/1      ok3/1     -          -       1     0.5
id-of-another             -       Vali1    ok2   -        -          ok4/1     -          -       1     0.5
id-alone                  ok1     ok1      ok2   -        ok3/1      ok4/1     -          -       1     0.5
fields-null               ok1     ok1      ok1   -        ok3/1      ok3/1     -          -       1     0.5
fields-of-wrong-types     ok1     ok1      ok1   -        ok3/1      ok3/1     -          -       1     0.5
fields-added              ok1     ok1      ok1   -        ok3/1      ok3/1     -          -       1     0.5
progress-47%              ok1     ok1      ok1   -        ok3/1      ok3/1     -          -       1     0.5
status-NOT_START          ok1     ok1      ok2   -        ok3/1      ok4/1     -          -       1     0.5
status-processing-always  ok1     ok1      Wait+ -        Wait#+/1   Wait#+/1  -          -       1     3.2
status-SUCCESS            ok1     ok1      ok1   -        ok+/1      ok3/1     -          -       1     0.5
status-failed             ok1     ok1      Fail1 -        Fail#1/1   Fail#2/1  -          -       1     0.5
status-cancelled          ok1     ok1      Fail1 -        Fail#1/1   Fail#2/1  -          -       1     0.5
status-expired            ok1     ok1      Fail1 -        Fail#1/1   Fail#2/1  -          -       1     0.5
poll-hint-absurd          ok1     ok1      ok2   -        ok3/1      ok4/1     -          -       1     0.5
poll-hint-nonsense        ok1     ok1      ok2   -        ok3/1      ok4/1     -          -       1     0.5
redirect-to-same-path     Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
redirect-relative         Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
redirect-301              Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
redirect-303              Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
redirect-308              Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
redirect-to-other-port    Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
redirect-to-other-host    Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
redirect-to-other-scheme  Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
redirect-to-http          Stat1   Stat1    Stat1 Down1    Stat1/1    Stat#2/1  Down#3/1   Stat1   1     0.5
redirect-loop             Stat1   Stat1    Stat1 Down6    Stat1/1    Stat#2/1  Down#8/1   Stat1   1     0.5
redirect-without-location Stat1   Stat1    Stat1 Stat1    Stat1/1    Stat#2/1  Stat#3/1   Stat1   1     0.5
redirect-to-file          Stat1   Stat1    Stat1 Down1    Stat1/1    Stat#2/1  Down#3/1   Stat1   1     0.5
redirect-to-nowhere       Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
redirect-to-closed-port   Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
redirect-to-no-name       Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
redirect-to-no-port       Stat1   Stat1    Stat1 Down1    Stat1/1    Stat#2/1  Down#3/1   Stat1   1     0.5
redirect-with-user        Stat1   Stat1    Stat1 ok2      Stat1/1    Stat#2/1  ok4/1      Stat1   1     0.5
redirect-with-key         Stat1   Stat1    Stat1 Down1    Stat1/1    Stat#2/1  Down#3/1   Stat1   1     0.5
tls-expired               Conn0   Conn0    Conn0 Conn0    Conn0/0    Conn#1/1  Conn#2/1   Conn0   1     0.5
tls-wrong-host            Conn0   Conn0    Conn0 Conn0    Conn0/0    Conn#1/1  Conn#2/1   Conn0   1     0.5
tls-unknown-authority     Conn0   Conn0    Conn0 Conn0    Conn0/0    Conn#1/1  Conn#2/1   Conn0   1     0.5
tls-self-signed           Conn0   Conn0    Conn0 Conn0    Conn0/0    Conn#1/1  Conn#2/1   Conn0   1     0.5
tls-stalled               ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     2     1.0
tls-hung-up               ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     2     0.5
tls-reset                 ok1     ok1      ok1   ok1      ok3/1      ok3/1     ok3/1      ok1     2     0.5
tls-cut-in-body           Conn$#1 ok2      ok2   ok2      Conn$#1/1  ok4/1     ok4/1      ok2     1     0.5
tls-reset-after-request   Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
key-in-error              BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     0.5
key-in-page               Serv$1  ok2      ok2   ok2      Serv$1/1   ok4/1     ok4/1      ok2     1     0.5
key-in-request-id         BadR1   BadR1    BadR1 BadR1    BadR1/1    BadR#2/1  BadR#3/1   BadR1   1     0.5
key-in-first-line         Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
key-in-header-line        Conn$1  ok2      ok2   ok2      Conn$1/1   ok4/1     ok4/1      ok2     1     0.5
key-in-cut-json           Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
key-in-type               Vali$1  Vali1    ok2   Down1    Vali$1/1   ok4/1     Down#3/1   Vali1   1     0.5
"""

# Faults that only a file can meet, in `download` and `remix_to_file`.
CONTENT_MATRIX = """
fault                     download  content    most
not-completed-once        BadR1     ok4/1      0.5
not-completed-always      BadR1     Wait#+/1   2.2
not-completed-then-502    BadR1     ok8/1      0.5
not-completed-as-200      Down1     ok4/1      0.5
type-json                 Down1     Down#3/1   0.5
type-text                 Down1     Down#3/1   0.5
type-missing              ok1       ok3/1      0.5
type-binary               ok1       ok3/1      0.5
type-in-capitals          ok1       ok3/1      0.5
empty                     Down1     Down#3/1   0.5
empty-in-chunks           Down1     Down#3/1   0.5
in-pieces-of-10-kB        ok5       ok7/1      0.5
cut-untagged              ok2       ok4/1      0.5
cut-weakly-tagged         ok2       ok4/1      0.5
cut-then-another-file     ok2       ok4/1      0.5
cut-then-always-another   Conn~4    Conn#6/1   0.5
cut-then-200              ok2       ok4/1      0.5
cut-206-of-another        ok3       ok5/1      0.5
cut-206-untagged          ok3       ok5/1      0.5
cut-206-elsewhere         ok3       ok5/1      0.5
cut-206-of-other-total    ok3       ok5/1      0.5
cut-206-of-no-total       ok3       ok5/1      0.5
cut-206-rangeless         ok3       ok5/1      0.5
cut-206-multipart         Down2     Down#4/1   0.5
cut-206-cut               ok3       ok5/1      0.5
cut-then-416              ok3       ok5/1      0.5
cut-then-404              NotF2     NotF#4/1   0.5
cut-then-502              ok3       ok5/1      0.5
cut-then-page             Down2     Down#4/1   0.5
content-range-on-200      ok1       ok3/1      0.5
206-unasked               Down1     Down#3/1   0.5
416-unasked               Stat1     Stat#3/1   0.5
redirect-then-cut         ok4       ok6/1      0.5
redirect-then-403         Perm2     Perm#4/1   0.5
redirect-then-502         ok3       ok5/1      0.5
redirect-then-stalled     ok3       ok5/1      1.0
redirect-then-hung-up     ok3       ok5/1      0.5
redirect-then-page        Down2     Down#4/1   0.5
"""


def rows(table: str) -> dict[str, dict[str, str]]:
    """The rows of a table by their first cell, each as a mapping from column to cell."""
    header, *lines = (line.split() for line in table.strip().splitlines())
    return {line[0]: dict(zip(header[1:], line[1:], strict=True)) for line in lines}


EXPECTED = rows(MATRIX) | rows(CONTENT_MATRIX)


def agree(outcome: str, cell: str) -> bool:
    """Whether an outcome is what a cell says; + stands for any number."""
    pattern = re.escape(cell).replace(r"\+", "[0-9]+")
    return re.fullmatch(pattern, outcome) is not None
