/* Three flows, a group and a meter, a block for each kind. */
#include "tests/fuzz/flow_wishes.h"

#include "ofproto/flow/flow_builder.h"
#include "tests/fuzz/fuzz.h"

#define N_FLOWS 3

/* A select group of two buckets. */
static const struct spec *
group(struct arena *arena)
{
    static const uint8_t body[] = {
        1, 0, 0,   0, 0, 32, 0,   16,  0,   0,   0, 5, 0, 0, 0, 16, 0, 0, 0,  1, 0, 0,    0,    0, 0,  0, 0, 0,    0,    0, 0,
        8, 0, 100, 0, 0, 0,  16,  0,   0,   0,   0, 0, 9, 0, 0, 0,  8, 0, 50, 0, 0, 0xff, 0xff, 0, 40, 0, 0, 0x15, 0x4d, 0, 0,
        0, 1, 0,   0, 0, 0,  'h', 'a', 's', 'h', 0, 0, 0, 0, 0, 0,  0, 0, 0,  0, 0, 0,    0,    0, 0,  0, 0, 0,    0,    0,
    };
    struct spec *s = arena_zalloc(arena, sizeof *s + sizeof body);
    s->kind = SPEC_GROUP;
    s->cookie = FLOW_WISH_COOKIE(2);
    s->id = 8;
    s->body_len = sizeof body;
    memcpy(s->bytes, body, sizeof body);
    return s;
}

size_t
flow_wishes(struct arena *arena, const struct spec *specs[FLOW_WISHES])
{
    struct flow_builder *fb = flow_builder_new();
    for (uint16_t i = 0; i < N_FLOWS; i++) {
        flow_begin(fb, 7, 100 + i, FLOW_WISH_COOKIE(1));
        match_ip_dst(fb, ip_prefix_host(ip4(0x0a000001 + i)));
        act_set(fb, of_field_whole(OF_REG1), i);
        act_goto(fb, 8);
        specs[i] = flow_end(fb, arena);
    }
    flow_builder_free(fb);
    specs[N_FLOWS] = group(arena);
    specs[N_FLOWS + 1] = meter_spec(arena, FLOW_WISH_COOKIE(3), 5, 100, 20);
    return FLOW_WISHES;
}

void
flow_wishes_set(struct flow_table *table, struct arena *arena)
{
    const struct spec *specs[FLOW_WISHES];
    struct error err;
    flow_wishes(arena, specs);
    bool ok = flow_table_set_block(table, FLOW_WISH_COOKIE(1), specs, N_FLOWS, &err)
              && flow_table_set_block(table, FLOW_WISH_COOKIE(2), &specs[N_FLOWS], 1, &err)
              && flow_table_set_block(table, FLOW_WISH_COOKIE(3), &specs[N_FLOWS + 1], 1, &err);
    FUZZ_CLAIM(ok);
}
