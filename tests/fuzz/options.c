/* vnetd's configuration file, and the listening places it names. */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "controller/options.h"
#include "ofproto/session/endpoint.h"

static void
places_try(const struct option_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        struct endpoint e;
        struct error err;
        if (endpoint_parse(list->v[i], &e, &err))
            FUZZ_CLAIM(e.kind == ENDPOINT_UNIX ? *e.path && strlen(e.path) < sizeof e.path : strlen(e.ip) < sizeof e.ip);
        else
            FUZZ_CLAIM(*err.text);
    }
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    log_init("fuzz");
    log_console(false);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    int fd = memfd_create("options", MFD_CLOEXEC);
    char *file = mem_printf("--config=/proc/self/fd/%d", fd);
    char *argv[] = { (char[]){ "vnetd" }, file, NULL };
    struct options o;
    struct error err;
    FUZZ_CLAIM(fd >= 0 && write(fd, data, n) == (ssize_t) n);
    if (options_parse(2, argv, &o, &err))
        FUZZ_CLAIM(o.store && o.openflow.n && o.ovsdb.n && o.api.n);
    else
        FUZZ_CLAIM(*err.text);
    places_try(&o.openflow);
    places_try(&o.ovsdb);
    places_try(&o.api);
    options_done(&o);
    close(fd);
    free(file);
    return 0;
}
