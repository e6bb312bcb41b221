#include "tests/unit/zones_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"

void *
zones_lab_start(size_t bytes, const char *operations)
{
    struct zones_lab *z = mem_zalloc(bytes);
    z->lab = controller_lab_start();
    controller_lab_do(z->lab, operations);
    return z;
}

int
zones_lab_teardown(void **state)
{
    struct zones_lab *z = *state;
    controller_switch_disconnect(&z->hv);
    controller_lab_stop(z->lab);
    free(z);
    return 0;
}

static bool
is_compiled(void *aux)
{
    const struct controller_lab *lab = aux;
    const struct hypervisor *h = host_by_number(lab->c.hosts, controller_lab_number(aux, OBJECT_HOST, "hv1"));
    return h->table && h->whole_seq == h->wanted_seq && !compiler_is_dirty(lab->c.compiler, h->number);
}

void
zones_lab_compile(struct zones_lab *z)
{
    assert_true(controller_lab_until(z->lab, is_compiled, z->lab));
    for (int i = 0; i < 5; i++)
        controller_lab_turn(z->lab);
}
