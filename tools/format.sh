#!/bin/bash
# The house style of the C sources: tools/format.sh writes it, tools/format.sh --check names what differs from it and fails if anything does.
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1-} in
'')      how=-i ;;
--check) how='--dry-run -Werror' ;;
*)       echo "usage: tools/format.sh [--check]" >&2; exit 1 ;;
esac
find base pki vnet ofproto controller agent tools tests -name '*.[ch]' -print0 | xargs -0 clang-format $how
