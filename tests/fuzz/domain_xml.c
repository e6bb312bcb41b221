/* A domain's XML, as libvirt hands over what its users wrote. */
#include "tests/fuzz/fuzz.h"

#include "agent/domain_xml.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error err;
    char *text = fuzz_text(data, n);
    struct domain_doc *d = domain_doc_parse(text, n, &err);
    for (size_t i = 0; d && i < d->n_interfaces; i++) {
        const struct domain_interface *f = &d->interfaces[i];
        FUZZ_CLAIM(!f->is_declared || (f->id[0] && f->subnet && *f->subnet && f->port));
        FUZZ_CLAIM(!f->is_declared || !*d->declaration.text);
    }
    FUZZ_CLAIM(!d || (d->name && *d->name && d->tenant));
    domain_doc_free(d);
    free(text);
    return 0;
}
