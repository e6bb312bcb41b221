/* Groups: all, select, indirect. Each bucket is an action set that works on a copy of the packet. */
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
buckets_execute(struct exec *x, const struct ofputil_group_mod *gm)
{
    const struct ofputil_bucket *bucket;
    uint32_t i = 0, chosen = gm->type == OFPGT11_SELECT ? x->bucket : 0;
    if (gm->type == OFPGT11_FF)
        return error_set(x->err, ERROR_INTERNAL, "group %" PRIu32 " depends on which ports are up", gm->group_id);
    LIST_FOR_EACH (bucket, list_node, &gm->buckets) {
        if ((gm->type == OFPGT11_ALL || i++ == chosen) && !bucket_execute(x, bucket))
            return false;
    }
    return true;
}

bool
exec_group(struct exec *x, uint32_t group)
{
    const struct spec *s = group_find(x->table, group);
    if (!s)
        return error_set(x->err, ERROR_INTERNAL, "a flow of table %u names group %" PRIu32 ", which does not exist",
                         x->in_table, group);
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
