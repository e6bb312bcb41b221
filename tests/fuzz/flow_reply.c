/* What a switch says that it holds: replies with flows, groups, meters and what those have seen, through the canonical form, a table's read-back, the text that
 * people see, and the modifications that would take it all away again. The first byte chooses the kind, the rest are the entries. */
#include "tests/fuzz/fuzz.h"

#include <openvswitch/vlog.h>

#include "ofproto/flow/flow_table.h"
#include "ofproto/flow/wire.h"

#define SENDS_MAX 64

enum kind { FLOWS, GROUPS, METERS, METER_STATS, N_KINDS };

struct reading {
    struct flow_table *table;
    struct arena *arena;
    bool is_printing;
};

static void
print(struct reading *r, const struct spec *s)
{
    if (r->is_printing)
        FUZZ_CLAIM(*spec_format(s, r->arena));
}

/* A canonical flow is its own canonical form, or one that Open vSwitch writes and does not read (VLAN 10 without the bit that says
 * "there is a VLAN"). */
static void
each_flow(void *aux, const struct wire_flow *wf)
{
    struct reading *r = aux;
    const struct spec *s = wire_flow_canonical(wf, r->arena);
    flow_table_readback_flow(r->table, wf);
    if (!s)
        return;
    struct wire_flow same = *wf;
    same.key = spec_key(s);
    same.key_len = s->key_len;
    same.body = spec_body(s);
    same.body_len = s->body_len;
    const struct spec *again = wire_flow_canonical(&same, r->arena);
    FUZZ_CLAIM(!again || (spec_key_equal(s, again) && spec_value_hash(s) == spec_value_hash(again)));
    print(r, s);
}

static void
each_spec(void *aux, const struct spec *s)
{
    struct reading *r = aux;
    flow_table_readback_spec(r->table, s);
    print(r, s);
}

static void
each_meter(void *aux, const struct wire_meter_stats *meter)
{
    FUZZ_CLAIM(aux);
}

static bool
read_message(const struct bytes *b, enum kind kind, bool *more, struct reading *r, struct error *err)
{
    if (kind == FLOWS)
        return wire_each_flow(b->data, b->n, more, each_flow, r, err);
    if (kind == GROUPS)
        return wire_each_group(b->data, b->n, more, each_spec, r, err);
    if (kind == METERS)
        return wire_each_meter(b->data, b->n, more, each_spec, r, err);
    return wire_each_meter_stats(b->data, b->n, more, each_meter, r, err);
}

/* Nothing of it is desired: all is deleted, but for what is not ours to delete. */
static void
delete_all(struct flow_table *table)
{
    struct flow_table_send sends[SENDS_MAX];
    size_t n;
    while ((n = flow_table_take(table, sends, SENDS_MAX))) {
        struct bytes b = BYTES_INIT;
        for (size_t i = 0; i < n; i++) {
            FUZZ_CLAIM(sends[i].command == WIRE_DELETE);
            wire_put_bundle_mod(&b, 1, sends[i].spec, sends[i].command, sends[i].is_modify, 1);
        }
        bytes_done(&b);
        flow_table_committed(table);
    }
    FUZZ_CLAIM(flow_table_is_clean(table));
}

static void
message_put(struct bytes *b, enum kind kind, const uint8_t *data, size_t n)
{
    static const uint8_t types[] = { [FLOWS] = 1, [GROUPS] = 7, [METERS] = 10, [METER_STATS] = 9 };
    bytes_put_u8(b, 6);
    bytes_put_u8(b, 19);
    bytes_put_be16(b, (uint16_t) (16 + n));
    bytes_put_be32(b, 1);
    bytes_put_be16(b, types[kind]);
    bytes_put_be16(b, 0);
    bytes_put_be32(b, 0);
    bytes_put(b, data, n);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF); /* the library speaks of every bad byte */
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t choice = fuzz_take_byte(&data, &n);
    enum kind kind = choice % N_KINDS;
    struct reading r = { flow_table_new(), arena_new(), !(choice & 4) };
    struct bytes b = BYTES_INIT;
    struct error err;
    bool more;
    if (choice & 8 || n > UINT16_MAX - 16)
        bytes_put(&b, data, n); /* the header too is a stranger's */
    else
        message_put(&b, kind, data, n);
    for (int i = 0; i < 2; i++) { /* the second reading, of a new connection, forgets the first */
        flow_table_readback_begin(r.table);
        bool ok = read_message(&b, kind, &more, &r, &err);
        FUZZ_CLAIM(ok || *err.text);
        flow_table_readback_end(r.table);
    }
    delete_all(r.table);
    bytes_done(&b);
    flow_table_free(r.table);
    arena_free(r.arena);
    return 0;
}
