"""Does a live API keep the contract?

    python -m contract_tests.live

Free of charge unless told otherwise: it needs the id of a completed video, and reads. It says beforehand how many
requests it will send at most. The document, openapi.yaml, is the measure: what it requires is kept or broken. Anything
else that is unusual is reported as drift, and breaks nothing.

Settings, from the environment:

  DEERAPI_KEY       the key; it is never shown
  DEERAPI_BASE_URL  the server, by default https://api.deerapi.com
  LIVE_VIDEO_ID     a completed video that the key may read
  LIVE_MODE         read-only (the default), or full: submits remixes, which cost money, and follows one to its file
  LIVE_MAX_REMIXES  in full mode, how many POST requests may be sent, refused ones included: by default 1; 0 for any
                    number, for mocks and staging: then requests that are made up are sent too, some hundred of them
  LIVE_MODEL        the model to ask for, by default that of the video, if it is served

Exit codes:

  0    the contract is kept, as far as it was checked
  1    the contract is broken
  2    a setting is missing or unusable; nothing was sent
  3    the key is refused
  4    no such model is served
  5    the source video is unknown, or not completed
  6    the server cannot be reached, fails, or asks to come back later
  7    a valid request was refused for another reason, such as the balance
  8    the job failed, so there was no file to check
  130  interrupted
"""

import os
import sys

from .run import main

if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv[1:]):
        sys.stdout.write(__doc__ or "")
        sys.exit(0)
    # A server on this machine is not behind a proxy.
    os.environ["NO_PROXY"] = ",".join(filter(None, (os.environ.get("NO_PROXY"), "localhost,127.0.0.1,::1")))
    sys.exit(main(os.environ))
