"""Every fault that is planted."""

from contract_tests.teeth import batch_faults, client_faults, document_faults, kit_faults, server_faults

FAULTS = [
    *server_faults.FAULTS,
    *client_faults.FAULTS,
    *batch_faults.FAULTS,
    *kit_faults.FAULTS,
    *document_faults.FAULTS,
]
