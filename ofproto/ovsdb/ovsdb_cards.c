#include "ofproto/ovsdb/ovsdb_cards.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define OFPORT_FAILED (-1) /* the device could not be opened */
#define MTU_MIN 68         /* RFC 791 */

static bool
is_word(const char *value, const char *word)
{
    return value && !strcmp(value, word);
}

bool
ovsdb_is_card(const struct ovsdb_interface_row *i)
{
    static const char *const types[] = { "system", "dpdk", "afxdp", "afxdp-nonpmd" };
    bool is_device = !i->type;
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        is_device |= is_word(i->type, types[t]);
    return is_device && !i->ids[OVSDB_IFACE_ID] && !i->ids[OVSDB_ATTACHED_MAC] && !is_word(i->status[OVSDB_DRIVER], "tun");
}

bool
ovsdb_card_is_down(const struct ovsdb_interface_row *i)
{
    return is_word(i->link_state, "down") || is_word(i->admin_state, "down") || i->ofport == OFPORT_FAILED;
}

static void
add_mtu(struct ovsdb_cards *cards, int64_t mtu)
{
    if (mtu >= MTU_MIN && mtu <= UINT16_MAX && (!cards->mtu || mtu < cards->mtu))
        cards->mtu = (uint16_t) mtu;
}

static void
add_name(struct ovsdb_cards *cards, const char *name)
{
    char shown[32];
    size_t n = strlen(cards->names);
    text_escape(shown, sizeof shown, name ?: "?");
    if (n + strlen(shown) + 2 < sizeof cards->names)
        snprintf(cards->names + n, sizeof cards->names - n, "%s%s", n ? ", " : "", shown);
}

static void
count(const struct ovsdb_rows *rows, const struct ovsdb_row *parent, struct ovsdb_cards *cards)
{
    for (const struct ovsdb_ref *ref = parent->refs; ref; ref = ref->next) {
        if (ref->table != OVSDB_PORT && ref->table != OVSDB_INTERFACE)
            continue;
        const struct ovsdb_row *child = ovsdb_rows_find(rows, ref->table, ref->child);
        const struct ovsdb_interface_row *i = (const void *) child;
        if (child && child->table == OVSDB_PORT) {
            count(rows, child, cards);
        } else if (child && ovsdb_is_card(i)) {
            cards->n++;
            add_mtu(cards, i->mtu);
            if (!ovsdb_card_is_down(i))
                continue;
            cards->n_down++;
            add_name(cards, child->name);
        }
    }
}

void
ovsdb_cards_count(const struct ovsdb_rows *rows, const struct ovsdb_row *bridge, struct ovsdb_cards *cards)
{
    *cards = (struct ovsdb_cards){ .n = 0 };
    if (bridge)
        count(rows, bridge, cards);
}

bool
ovsdb_cards_are_down(const struct ovsdb_cards *cards)
{
    return cards->n && cards->n == cards->n_down;
}
