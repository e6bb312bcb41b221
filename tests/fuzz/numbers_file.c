/* What the agent finds in its file of port numbers, and what it makes of it when it writes it anew. */
#include "tests/fuzz/fuzz.h"

#include <unistd.h>

#include "agent/numbers_file.h"

static char folder[] = "/tmp/vnet-fuzz-numbers-XXXXXX";

static void
folder_remove(void)
{
    rmdir(folder);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    FUZZ_CLAIM(mkdtemp(folder));
    FUZZ_CLAIM(!atexit(folder_remove));
    return 0;
}

static void
number_note(void *aux, const char *iface_id, uint32_t number)
{
    FUZZ_CLAIM(*iface_id && strlen(iface_id) <= NUMBERS_ID_MAX && number && number <= NUMBERS_OFPORT_MAX);
    FUZZ_CLAIM(!json_object_set_new(aux, iface_id, json_integer(number)));
}

/* Of a file with these bytes, in 'ports'. */
static bool
numbers_read(const char *file, const uint8_t *data, size_t n, json_t *ports)
{
    struct error err;
    FILE *f = fopen(file, "wb");
    FUZZ_CLAIM(f && fwrite(data, 1, n, f) == n && !fclose(f));
    bool ok = numbers_file_read(file, number_note, ports, &err);
    FUZZ_CLAIM(ok || strstr(err.text, file));
    return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error err;
    char *nested = mem_printf("%s/state", folder), *file = mem_printf("%s/ports", nested);
    json_t *ports = json_object(), *again = json_object();
    FUZZ_CLAIM(numbers_file_read(file, number_note, ports, &err) && !json_object_size(ports));
    FUZZ_CLAIM(numbers_file_write(file, json_object(), &err));
    numbers_read(file, data, n, ports);
    FUZZ_CLAIM(numbers_file_write(file, json_incref(ports), &err));
    FUZZ_CLAIM(numbers_file_read(file, number_note, again, &err) && json_equal(ports, again));
    FUZZ_CLAIM(!unlink(file) && !rmdir(nested));
    json_decref(again);
    json_decref(ports);
    free(file);
    free(nested);
    return 0;
}
