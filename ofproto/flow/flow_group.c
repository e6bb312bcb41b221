/* The builder's groups: buckets are collected in libopenvswitch's form, group_end() has its encoder write them and takes the bytes after
 * the message's head, which are also what Open vSwitch puts into a description. */
#include "ofproto/flow/flow_builder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openvswitch/ofp-actions.h>
#include <openvswitch/ofp-group.h>

#include "base/alloc.h"
#include "ofproto/flow/flow_builder_private.h"
#include "ofproto/flow/spec_private.h"

#define GROUP_MOD_BYTES (sizeof(struct ofp_header) + sizeof(struct ofp15_group_mod))
#define BODY_HEAD_BYTES 4 /* type, zeros */

static bool
is_select(const struct group_under_way *g)
{
    return g->mod.type == OFPGT11_SELECT;
}

void
group_begin(struct flow_builder *fb, uint32_t id, uint64_t cookie, const struct flow_group *group)
{
    static const char *const methods[] = { [FLOW_GROUP_SELECT_HASH] = "hash", [FLOW_GROUP_SELECT_DP_HASH] = "dp_hash" };
    assert(!fb->group && (group->kind == FLOW_GROUP_SELECT_HASH) == (group->n_fields > 0));
    struct group_under_way *g = fb->group = mem_zalloc(sizeof *g);
    g->cookie = cookie;
    g->mod.command = OFPGC15_ADD;
    g->mod.type = group->kind == FLOW_GROUP_ALL ? OFPGT11_ALL : OFPGT11_SELECT;
    g->mod.group_id = id;
    g->mod.command_bucket_id = OFPG15_BUCKET_ALL;
    ovs_list_init(&g->mod.buckets);
    if (is_select(g)) {
        strcpy(g->mod.props.selection_method, methods[group->kind]);
        g->mod.props.selection_method_param = group->seed;
    }
    for (size_t i = 0; i < group->n_fields; i++) {
        const struct mf_field *mf = field_mf(group->fields[i].id);
        union mf_value mask;
        memset(&mask, 0, sizeof mask);
        field_value_set(mf, &mask, field_mask(group->fields[i]));
        field_array_set(mf->id, &mask, &g->mod.props.fields);
    }
    ofpbuf_clear(&fb->ofpacts);
    fb->has_goto = false;
}

/* Buckets are action sets: executed in an order of OpenFlow's own, the last of each kind only, and nothing at all without one that ends it.
 * True if all this changes nothing. */
static bool
is_executed_as_put(const struct ofpbuf *put)
{
    struct ofpbuf executed;
    ofpbuf_init(&executed, 256);
    ofpacts_execute_action_set(&executed, put);
    bool is_same = executed.size == put->size && !memcmp(executed.data, put->data, put->size);
    ofpbuf_uninit(&executed);
    return is_same;
}

static void
bucket_end(struct flow_builder *fb)
{
    struct ofputil_bucket *bucket = fb->group->bucket;
    if (!bucket) {
        assert(!fb->ofpacts.size);
        return;
    }
    assert(is_executed_as_put(&fb->ofpacts));
    bucket->ofpacts_len = fb->ofpacts.size;
    bucket->ofpacts = mem_dup(fb->ofpacts.data, fb->ofpacts.size);
    ovs_list_push_back(&fb->group->mod.buckets, &bucket->list_node);
    fb->group->bucket = NULL;
    ofpbuf_clear(&fb->ofpacts);
}

void
bucket_begin(struct flow_builder *fb, uint32_t bucket_id, uint16_t weight)
{
    assert(fb->group && bucket_id <= OFPG15_BUCKET_MAX && (is_select(fb->group) || !weight));
    bucket_end(fb);
    struct ofputil_bucket *bucket = fb->group->bucket = mem_zalloc(sizeof *bucket);
    bucket->bucket_id = bucket_id;
    bucket->weight = weight;
    bucket->watch_port = OFPP_ANY;
    bucket->watch_group = OFPG_ANY;
}

static void
group_free(struct group_under_way *g)
{
    ofputil_uninit_group_mod(&g->mod);
    free(g);
}

const struct spec *
group_end(struct flow_builder *fb, struct arena *arena)
{
    struct group_under_way *g = fb->group;
    assert(g);
    bucket_end(fb);
    struct ofpbuf *message = ofputil_encode_group_mod(OFP15_VERSION, &g->mod, NULL, -1);
    size_t n = message->size - GROUP_MOD_BYTES;
    assert(message->size <= SPEC_BYTES_MAX);

    struct spec head = { .cookie = g->cookie, .id = g->mod.group_id, .kind = SPEC_GROUP, .body_len = BODY_HEAD_BYTES + n };
    struct spec *s = spec_alloc(arena, &head);
    memset(s->bytes, 0, BODY_HEAD_BYTES);
    s->bytes[0] = g->mod.type;
    memcpy(s->bytes + BODY_HEAD_BYTES, (const uint8_t *) message->data + GROUP_MOD_BYTES, n);
    ofpbuf_delete(message);
    group_free(g);
    fb->group = NULL;
    return s;
}
