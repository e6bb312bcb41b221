#include "tests/unit/vnet_lab.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void
die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

static void
on_zone_wanted(void *aux, uint32_t host, uint32_t number)
{
    struct lab *lab = aux;
    lab->wishes = mem_grow(lab->wishes, &lab->cap_wishes, lab->n_wishes + 1, sizeof *lab->wishes);
    lab->wishes[lab->n_wishes++] = (struct lab_wish){ host, number };
}

struct lab *
lab_new(void)
{
    struct lab *lab = mem_zalloc(sizeof *lab);
    lab->model = model_new();
    lab->runtime = runtime_new();
    lab->compiler = compiler_new(lab->model, lab->runtime);
    compiler_on_zone_wanted(lab->compiler, on_zone_wanted, lab);
    lab_do(lab, "[{'op':'add','type':'tenant','name':'default','may_exist':true}]");
    return lab;
}

void
lab_free(struct lab *lab)
{
    compiler_free(lab->compiler);
    for (unsigned i = 0; i < lab->n_hosts; i++)
        flow_table_free(lab->hosts[i].table);
    runtime_free(lab->runtime);
    model_free(lab->model);
    free(lab->wishes);
    free(lab);
}

/* Repeatable on purpose: golden files show MACs. */
static void
give_random(void *aux, uint8_t *bytes, size_t n)
{
    uint64_t *state = aux;
    for (size_t i = 0; i < n; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = *state >> 56;
    }
}

static bool
apply(struct lab *lab, struct transaction *t, const json_t *ops, struct error *err)
{
    size_t i;
    json_t *op;
    json_array_foreach (ops, i, op) {
        if (!transaction_op(t, op, NULL, err))
            return false;
    }
    return transaction_finish(t, err);
}

bool
lab_try(struct lab *lab, const json_t *ops, struct error *err)
{
    struct transaction_origin origin = {
        .principal = { .role = PRINCIPAL_ADMIN, .name = "lab" },
        .random = give_random,
        .random_aux = &lab->random,
    };
    struct transaction *t = transaction_begin(lab->model, &origin);
    if (!apply(lab, t, ops, err)) {
        transaction_abort(t);
        return false;
    }

    size_t n;
    transaction_commit(t);
    const struct change *changes = transaction_changes(t, &n);
    for (size_t i = 0; i < n; i++) {
        struct vnet_event event = { .kind = EVENT_OBJECT, .change = &changes[i] };
        compiler_changed(lab->compiler, &event, NULL, NULL);
    }
    transaction_free(t);
    return true;
}

void
lab_do(struct lab *lab, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *p = text; *p; p++)
        *p = *p == '\'' ? '"' : *p;

    struct error err;
    json_t *ops = json_parse(text, strlen(text), "operations", &err);
    if (!ops || !lab_try(lab, ops, &err))
        die("%s: %s", text, err.text);
    json_decref(ops);
}

uint32_t
lab_number(const struct lab *lab, enum object_type type, const char *name)
{
    const struct object_class *class = object_class(type);
    uint32_t tenant = class->has_tenant ? model_tenant(lab->model, "default") : 0;
    const struct object *o = model_find(lab->model, type, tenant, name);
    return o ? o->number : 0;
}

const char *
lab_name(const struct lab *lab, uint32_t number, struct arena *arena)
{
    const struct object *o = model_get(lab->model, number, OBJECT_NONE);
    return o ? object_label(lab->model, o, arena) : arena_printf(arena, "%" PRIu32, number);
}

struct runtime_host
lab_facts(unsigned i)
{
    return (struct runtime_host){ .encap_ip = ip4(0xc000020bu + i), .encap = ENCAP_GENEVE, .mtu = 1500, .tunnel_port = { 1, 2 } };
}

struct runtime_host
lab_with_uplink(struct runtime_host facts, const char *network, uint32_t ofport, bool is_gateway)
{
    struct runtime_uplink *uplink = &facts.uplinks[facts.n_uplinks++];
    snprintf(uplink->network, sizeof uplink->network, "%s", network);
    uplink->ofport = ofport;
    facts.is_gateway = is_gateway;
    return facts;
}

void
lab_gateway_mac(struct lab *lab, const char *pool, struct mac mac)
{
    struct vnet_event event = { .kind = EVENT_GATEWAY_MAC, .number = lab_number(lab, OBJECT_POOL, pool) };
    if (!event.number)
        die("no pool '%s'", pool);
    runtime_set_gateway_mac(lab->runtime, event.number, mac);
    compiler_changed(lab->compiler, &event, NULL, NULL);
}

static void
host_event(struct lab *lab, uint32_t number, const struct runtime_host *before)
{
    struct vnet_event event = {
        .kind = EVENT_HOST, .number = number, .host_before = before, .host_after = runtime_host(lab->runtime, number)
    };
    compiler_changed(lab->compiler, &event, NULL, NULL);
}

uint32_t
lab_host(struct lab *lab, const char *name, struct runtime_host facts)
{
    uint32_t number = lab_number(lab, OBJECT_HOST, name);
    bool is_new = !number;
    if (is_new)
        lab_do(lab, "[{'op':'add','type':'host','name':'%s'}]", name);
    number = facts.number = lab_number(lab, OBJECT_HOST, name);

    const struct runtime_host *known = runtime_host(lab->runtime, number);
    struct runtime_host before = known ? *known : (struct runtime_host){ 0 };
    runtime_set_host(lab->runtime, &facts);
    host_event(lab, number, known ? &before : NULL);
    if (is_new) {
        if (lab->n_hosts == LAB_HOSTS)
            die("more than %d hosts", LAB_HOSTS);
        struct lab_host *h = &lab->hosts[lab->n_hosts++];
        *h = (struct lab_host){ number, flow_table_new() };
        compiler_attach(lab->compiler, number, h->table);
    }
    return number;
}

void
lab_forget_host(struct lab *lab, uint32_t host)
{
    const struct runtime_host *known = runtime_host(lab->runtime, host);
    if (!known)
        return;
    struct runtime_host before = *known;
    runtime_remove_host(lab->runtime, host);
    host_event(lab, host, &before);
}

struct flow_table *
lab_table(const struct lab *lab, uint32_t host)
{
    for (unsigned i = 0; i < lab->n_hosts; i++) {
        if (lab->hosts[i].number == host)
            return lab->hosts[i].table;
    }
    die("no host %" PRIu32, host);
}

void
lab_bind_number(struct lab *lab, uint32_t port, struct binding after)
{
    struct vnet_event event = { .kind = EVENT_BINDING, .number = port, .before = runtime_binding(lab->runtime, port), .after = after };
    runtime_bind(lab->runtime, port, after);
    compiler_changed(lab->compiler, &event, NULL, NULL);
}

void
lab_set_twin(struct lab *lab, uint32_t port, struct twin twin)
{
    struct twin before = runtime_twin(lab->runtime, port);
    struct vnet_event event = {
        .kind = EVENT_TWIN, .number = port, .before = { before.host, before.ofport }, .after = { twin.host, twin.ofport }
    };
    runtime_set_twin(lab->runtime, port, twin);
    compiler_changed(lab->compiler, &event, NULL, NULL);
}

void
lab_set_trail(struct lab *lab, uint32_t eip, uint32_t host)
{
    struct vnet_event event = {
        .kind = EVENT_TRAIL, .number = eip, .before = { .host = runtime_trail(lab->runtime, eip) }, .after = { .host = host }
    };
    runtime_set_trail(lab->runtime, eip, host);
    compiler_changed(lab->compiler, &event, NULL, NULL);
}

void
lab_bind(struct lab *lab, const char *port, const char *host, uint32_t ofport)
{
    uint32_t port_number = lab_number(lab, OBJECT_PORT, port);
    uint32_t host_number = host ? lab_number(lab, OBJECT_HOST, host) : 0;
    if (!port_number || (host && !host_number))
        die("cannot bind '%s' to '%s': no such thing", port, host ? host : "nowhere");
    lab_bind_number(lab, port_number, (struct binding){ host_number, host ? ofport : 0 });
}

static void
conflict(void *aux, uint64_t cookie, const struct error *err)
{
    die("block %#" PRIx64 ": %s", cookie, err->text);
}

static void
run_hosts(struct lab *lab)
{
    for (unsigned i = 0; i < lab->n_hosts; i++) {
        while (compiler_run(lab->compiler, lab->hosts[i].number, 1000, conflict, NULL))
            continue;
    }
}

void
lab_run(struct lab *lab)
{
    run_hosts(lab);
    while (lab->n_wishes) {
        struct lab_wish wish = lab->wishes[--lab->n_wishes];
        struct vnet_event event = { .kind = EVENT_ZONE, .number = wish.host, .zone_of = wish.number };
        if (runtime_zone(lab->runtime, wish.host, wish.number))
            continue;
        runtime_set_zone(lab->runtime, wish.host, wish.number, ++lab->n_zones);
        compiler_changed(lab->compiler, &event, NULL, NULL);
        run_hosts(lab);
    }
}

bool
lab_is_consistent(const struct lab *lab, struct error *err)
{
    for (unsigned i = 0; i < lab->n_hosts; i++) {
        uint32_t host = lab->hosts[i].number;
        struct flow_table *fresh = compile_from_scratch(lab->model, lab->runtime, host, err);
        bool is_equal = fresh && flow_table_equal(lab->hosts[i].table, fresh, err);
        flow_table_free(fresh);
        if (!is_equal)
            return error_prefix(err, "host %" PRIu32, host);
    }
    return true;
}
