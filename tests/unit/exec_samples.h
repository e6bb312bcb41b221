/* Groups and packets for tests of the executor: what the flow builder has no helper for. */
#ifndef TESTS_UNIT_EXEC_SAMPLES_H
#define TESTS_UNIT_EXEC_SAMPLES_H 1

#include <arpa/inet.h>
#include <string.h>

#include "base/bytes.h"
#include "ofproto/flow/exec.h"
#include "ofproto/flow/flow_builder.h"
#include "ofproto/flow/spec_private.h"

enum sample_group { GROUP_ALL = 0, GROUP_SELECT = 1, GROUP_INDIRECT = 2 };

#define INSTRUCTION_HEADER 8

/* A group whose buckets' actions are those of 'flows' (apply-actions only). */
static inline const struct spec *
sample_group(struct arena *arena, uint32_t id, enum sample_group type, const struct spec *const flows[], size_t n)
{
    struct bytes b = BYTES_INIT;
    bytes_put_be32(&b, (uint32_t) type << 24);
    for (size_t i = 0; i < n; i++) {
        size_t actions = flows[i]->body_len ? flows[i]->body_len - INSTRUCTION_HEADER : 0;
        bytes_put_be16(&b, 8 + actions + (type == GROUP_SELECT ? 8 : 0));
        bytes_put_be16(&b, actions);
        bytes_put_be32(&b, i);
        if (actions)
            bytes_put(&b, spec_body(flows[i]) + INSTRUCTION_HEADER, actions);
        if (type == GROUP_SELECT) {
            bytes_put_be32(&b, 8); /* property: weight, 8 bytes long */
            bytes_put_be32(&b, 1 << 16);
        }
    }
    struct spec head = { .cookie = 0x9900000000000000ULL + id, .id = id, .kind = SPEC_GROUP, .body_len = b.n };
    const struct spec *s = spec_put(arena, &head, "", b.data);
    bytes_done(&b);
    return s;
}

/* TCP from 10.0.0.1:1000 to 10.0.0.2:80, in by port 1. */
static inline struct exec_packet
sample_tcp(void)
{
    struct exec_packet p = { .bytes = 100 };
    p.field[OF_IN_PORT] = 1;
    p.field[OF_ETH_SRC] = 0x020000000001;
    p.field[OF_ETH_DST] = 0x020000000002;
    p.field[OF_ETH_TYPE] = 0x0800;
    p.field[OF_IP_PROTO] = 6;
    p.field[OF_IP_TTL] = 64;
    p.field[OF_IPV4_SRC] = 0x0a000001;
    p.field[OF_IPV4_DST] = 0x0a000002;
    p.field[OF_TCP_SRC] = 1000;
    p.field[OF_TCP_DST] = 80;
    return p;
}

#endif
