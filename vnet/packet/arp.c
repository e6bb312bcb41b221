#include "vnet/packet/arp.h"

#include <string.h>

#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV4 0x0800
#define HARDWARE_ETHERNET 1
#define VID_MASK 0xfff

void
arp_put(struct bytes *b, const struct arp_frame *a)
{
    bytes_put(b, a->eth_dst.b, 6);
    bytes_put(b, a->eth_src.b, 6);
    if (a->vlan) {
        bytes_put_be16(b, ETHERTYPE_VLAN);
        bytes_put_be16(b, a->vlan);
    }
    bytes_put_be16(b, ETHERTYPE_ARP);
    bytes_put_be16(b, HARDWARE_ETHERNET);
    bytes_put_be16(b, ETHERTYPE_IPV4);
    bytes_put_u8(b, 6);
    bytes_put_u8(b, 4);
    bytes_put_be16(b, a->op);
    bytes_put(b, a->sha.b, 6);
    bytes_put_be32(b, ip4_u32(a->spa));
    bytes_put(b, a->tha.b, 6);
    bytes_put_be32(b, ip4_u32(a->tpa));
}

static struct mac
mac_get(struct bytes_reader *r)
{
    struct mac mac = { { 0 } };
    const uint8_t *p = reader_take(r, sizeof mac.b);
    if (p)
        memcpy(mac.b, p, sizeof mac.b);
    return mac;
}

bool
arp_parse(const uint8_t *frame, size_t n, struct arp_frame *a)
{
    struct bytes_reader r;
    reader_init(&r, frame, n);
    *a = (struct arp_frame){ .eth_dst = mac_get(&r) };
    a->eth_src = mac_get(&r);
    uint16_t type = reader_be16(&r);
    if (type == ETHERTYPE_VLAN) {
        a->vlan = reader_be16(&r) & VID_MASK;
        type = reader_be16(&r);
    }
    if (type != ETHERTYPE_ARP || reader_be16(&r) != HARDWARE_ETHERNET || reader_be16(&r) != ETHERTYPE_IPV4 || reader_u8(&r) != 6
        || reader_u8(&r) != 4)
        return false;
    a->op = reader_be16(&r);
    a->sha = mac_get(&r);
    a->spa = ip4(reader_be32(&r));
    a->tha = mac_get(&r);
    a->tpa = ip4(reader_be32(&r));
    return !r.bad;
}

struct arp_frame
arp_request(struct mac mac, struct ip sender, struct ip target, uint16_t vlan)
{
    return (struct arp_frame){
        .eth_dst = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
        .eth_src = mac,
        .vlan = vlan,
        .op = ARP_REQUEST,
        .sha = mac,
        .spa = sender,
        .tpa = target,
    };
}
