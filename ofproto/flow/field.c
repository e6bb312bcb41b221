/* What is known of each OpenFlow field: its width, and libopenvswitch's name for it. */
#include "ofproto/flow/field.h"

#include <assert.h>

#include "ofproto/flow/flow_builder_private.h"

static const struct {
    enum mf_field_id mff;
    uint8_t bits;
} fields[N_OF_FIELDS] = {
#define X(ID, MFF, BITS) [ID] = { MFF, BITS },
    OF_FIELD_LIST(X)
#undef X
};

unsigned
of_field_bits(enum of_field_id id)
{
    assert(id < N_OF_FIELDS);
    return fields[id].bits;
}

struct of_field
of_field_whole(enum of_field_id id)
{
    return (struct of_field){ .id = id, .ofs = 0, .bits = of_field_bits(id) };
}

const struct mf_field *
field_mf(enum of_field_id id)
{
    assert(id < N_OF_FIELDS);
    return mf_from_id(fields[id].mff);
}

struct mf_subfield
field_subfield(struct of_field f)
{
    assert(f.bits && f.ofs + f.bits <= of_field_bits(f.id));
    return (struct mf_subfield){ .field = field_mf(f.id), .ofs = f.ofs, .n_bits = f.bits };
}

void
field_value_set(const struct mf_field *mf, union mf_value *out, uint64_t value)
{
    for (int i = mf->n_bytes; i-- > 0; value >>= 8)
        out->b[i] = value & 0xff;
}

uint64_t
field_value_get(const struct mf_field *mf, const union mf_value *in)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < mf->n_bytes; i++)
        value = value << 8 | in->b[i];
    return value;
}

uint64_t
field_mask(struct of_field f)
{
    return (UINT64_MAX >> (64 - f.bits)) << f.ofs;
}
