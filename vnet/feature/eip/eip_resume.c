#include "vnet/feature/eip/eip_private.h"

#include "vnet/packet/ipv4.h"
#include "vnet/packet/userdata.h"

/* The sender of a fragment is told, if that can be, and the fragment goes on. */
static bool
answer_fragment(const struct packet_in *in, const struct icmp_error *error, unsigned i, struct bytes *out)
{
    struct bytes scratch = BYTES_INIT;
    bool is_told = icmp_error_answer(error, in->packet, in->packet_len, i ? &scratch : out);
    bytes_done(&scratch);
    if (i > is_told)
        return false;
    if (i == is_told)
        bytes_put(out, in->packet, in->packet_len);
    return true;
}

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
    if (p.more_fragments || p.fragment_offset)
        return answer_fragment(in, error, i, out);
    return p.dont_fragment ? !i && icmp_error_answer(error, in->packet, in->packet_len, out)
                           : ipv4_put_piece(out, in->packet, in->packet_len, error->mtu, i);
}

bool
eip_resume(const struct packet_in *in, unsigned i, struct bytes *out)
{
    struct icmp_inner inner;
    struct icmp_error error;
    enum icmp_echo_side side;
    uint16_t mtu;
    if (userdata_get_echo(in->userdata, in->userdata_len, &side))
        return !i && icmp_echo_disguise(side, in->packet, in->packet_len, out);
    if (userdata_get_inner(in->userdata, in->userdata_len, &inner))
        return !i && icmp_inner_rewrite(&inner, in->packet, in->packet_len, out);
    if (userdata_get_split(in->userdata, in->userdata_len, &mtu))
        return ipv4_put_piece(out, in->packet, in->packet_len, mtu, i);
    return userdata_get_error(in->userdata, in->userdata_len, &error) && answer_too_big(in, &error, i, out);
}
