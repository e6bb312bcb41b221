/* Groups: all, select, indirect. Each bucket is an action set that works on a copy of the packet. Which bucket of a select group takes a
 * packet depends on the switch's hash, and is the caller's choice: exec_packet.bucket, counted in those that are live. */
#include <inttypes.h>

#include <openvswitch/ofp-group.h>

#include "ofproto/flow/exec_private.h"
#include "ofproto/flow/flow_table_private.h"

static const struct spec *
group_find(const struct flow_table *t, uint32_t group)
{
    static const uint8_t no_key[1];
    struct spec_id id = { .key = no_key, .kind = SPEC_GROUP, .id = group };
    const struct entry *e = entry_find(t, &id);
    return e && e->is_desired ? e->spec : NULL;
}

static bool
bucket_execute(struct exec *x, const struct ofputil_bucket *bucket)
{
    const struct exec_copy before = exec_keep(x);
    struct ofpbuf list;
    const struct ofpbuf set = ofpbuf_const_initializer(bucket->ofpacts, bucket->ofpacts_len);
    ofpbuf_init(&list, 256);
    ofpacts_execute_action_set(&list, &set);
    bool ok = exec_actions(x, list.data, list.size);
    ofpbuf_uninit(&list);
    exec_put_back(x, &before);
    return ok;
}

static bool
is_live(const struct ofputil_group_mod *gm, const struct ofputil_bucket *bucket)
{
    return gm->type != OFPGT11_SELECT || bucket->weight;
}

/* The one that takes the packet, unless all do; ofputil_bucket.bucket_id. */
static uint32_t
bucket_choose(const struct exec *x, const struct ofputil_group_mod *gm)
{
    const struct ofputil_bucket *bucket;
    uint32_t n = 0, i = 0;
    LIST_FOR_EACH (bucket, list_node, &gm->buckets)
        n += is_live(gm, bucket);
    uint32_t chosen = n && gm->type == OFPGT11_SELECT ? x->bucket % n : 0;
    LIST_FOR_EACH (bucket, list_node, &gm->buckets) {
        if (is_live(gm, bucket) && i++ == chosen)
            return bucket->bucket_id;
    }
    return OFPG15_BUCKET_ALL;
}

static bool
buckets_execute(struct exec *x, const struct ofputil_group_mod *gm)
{
    const struct ofputil_bucket *bucket;
    uint32_t chosen = bucket_choose(x, gm);
    if (gm->type == OFPGT11_FF)
        return error_set(x->err, ERROR_INTERNAL, "group %" PRIu32 " depends on which ports are up", gm->group_id);
    LIST_FOR_EACH (bucket, list_node, &gm->buckets) {
        if ((gm->type == OFPGT11_ALL || bucket->bucket_id == chosen) && !bucket_execute(x, bucket))
            return false;
    }
    return true;
}

bool
exec_group(struct exec *x, uint32_t group)
{
    const struct spec *s = group_find(x->table, group);
    if (!s)
        return error_set(x->err, ERROR_INTERNAL, "a flow of table %u names group %" PRIu32 ", which does not exist", x->in_table, group);
    struct bytes message = BYTES_INIT;
    struct ofputil_group_mod gm;
    wire_put_mod(&message, s, WIRE_ADD, false, 0);
    bool ok = !ofputil_decode_group_mod((const struct ofp_header *) message.data, &gm);
    bytes_done(&message);
    if (!ok)
        return error_set(x->err, ERROR_INTERNAL, "group %" PRIu32 " cannot be decoded", group);
    ok = exec_deepen(x) && buckets_execute(x, &gm);
    x->depth--;
    ofputil_uninit_group_mod(&gm);
    return ok;
}
