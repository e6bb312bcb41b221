#include "vnet/feature/eip/eip_private.h"

#include "vnet/packet/ipv4.h"
#include "vnet/packet/userdata.h"

/* A sender that finds out the path's MTU is told; for one that does not, the packet is taken apart. The answer goes to whoever on the
 * physical network sent it. */
static bool
answer_too_big(const struct packet_in *in, struct icmp_error *error, unsigned i, struct bytes *out)
{
    struct of_field mtu = LAYOUT_PATH_MTU;
    struct ipv4_packet p;
    if (!ipv4_parse(in->packet, in->packet_len, &p))
        return false;
    error->mac = p.eth_src;
    error->mtu = in->reg[mtu.id - OF_REG0] >> mtu.ofs;
    return p.dont_fragment ? !i && icmp_error_answer(error, in->packet, in->packet_len, out)
                           : ipv4_put_piece(out, in->packet, in->packet_len, error->mtu, i);
}

bool
eip_resume(const struct packet_in *in, unsigned i, struct bytes *out)
{
    struct icmp_inner inner;
    struct icmp_error error;
    uint16_t mtu;
    if (userdata_get_inner(in->userdata, in->userdata_len, &inner))
        return !i && icmp_inner_rewrite(&inner, in->packet, in->packet_len, out);
    if (userdata_get_split(in->userdata, in->userdata_len, &mtu))
        return ipv4_put_piece(out, in->packet, in->packet_len, mtu, i);
    return userdata_get_error(in->userdata, in->userdata_len, &error) && answer_too_big(in, &error, i, out);
}
