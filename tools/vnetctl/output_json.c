/* The daemon's own objects, for programs. */
#include "tools/vnetctl/output.h"

void
output_json(FILE *stream, const struct output_rows *o)
{
    json_dumpf(o->rows, stream, JSON_WRITTEN);
    fputc('\n', stream);
}
