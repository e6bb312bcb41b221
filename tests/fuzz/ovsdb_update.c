/* A host's database: monitor replies, one JSON document a line, and all that is derived from the rows after each. The first byte chooses
 * dialect and wishes. */
#include "tests/fuzz/fuzz.h"

#include "ofproto/ovsdb/ovsdb_bindings.h"
#include "ofproto/ovsdb/ovsdb_config.h"
#include "ofproto/ovsdb/ovsdb_facts.h"
#include "ofproto/ovsdb/ovsdb_update.h"

struct host {
    struct ovsdb_rows rows;
    struct ovsdb_bindings bindings;
    struct ovsdb_wanted wanted;
    char bridge[16];
};

static void
bindings_check(struct host *h)
{
    struct ovsdb_bindings *b = &h->bindings;
    ovsdb_bindings_update(b, &h->rows, *h->bridge ? h->bridge : NULL);
    for (size_t i = 0; i < b->n_changed; i++)
        FUZZ_CLAIM(*b->changed[i].iface_id && b->changed[i].ofport <= 0xfffe);
    for (size_t i = 0; i < b->n_gone; i++)
        FUZZ_CLAIM(*b->gone[i]);
    FUZZ_CLAIM(!b->n_contested || *b->contested);
    ovsdb_bindings_told(b);
}

static void
config_check(const struct host *h, const struct ovsdb_facts *facts)
{
    struct ovsdb_config config;
    struct ovsdb_ports ports;
    ovsdb_config_compare(&h->rows, facts, &h->wanted, "192.0.2.100", &config);
    FUZZ_CLAIM(json_is_array(config.ops));
    char *text = json_text(config.ops);
    free(text);
    json_decref(config.ops);
    ovsdb_config_ports(&h->rows, facts, &ports);
}

static void
derive(struct host *h)
{
    struct ovsdb_facts facts, again;
    if (!ovsdb_facts_derive(&h->rows, &facts))
        return;
    FUZZ_CLAIM(ovsdb_facts_derive(&h->rows, &again) && !memcmp(&facts, &again, sizeof facts));
    if (!*facts.error && strcmp(h->bridge, facts.bridge)) {
        strcpy(h->bridge, facts.bridge);
        ovsdb_rows_touch_all(&h->rows);
    }
    if (!*facts.error)
        config_check(h, &facts);
    bindings_check(h);
}

static bool
line_take(struct host *h, enum ovsdb_dialect dialect, const char *line)
{
    struct error err;
    json_t *json = json_parse(line, strlen(line), "line", &err);
    bool ok = json && ovsdb_update_apply(&h->rows, dialect, json, &err);
    json_decref(json);
    if (ok)
        derive(h);
    return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t choice = fuzz_take_byte(&data, &n);
    struct host h = { .wanted = { .dpid = 0xab, .controllers = { "tcp:192.0.2.100:6653" }, .geneve = choice & 2, .vxlan = choice & 4 } };
    if (choice & 8)
        strcpy(h.wanted.controllers[1], "ssl:192.0.2.101:6653");
    ovsdb_rows_init(&h.rows, 1);
    ovsdb_bindings_init(&h.bindings, 1);
    char *text = fuzz_text(data, n), *rest = text;
    for (char *line; (line = fuzz_line(&rest)) && line_take(&h, choice & 1 ? OVSDB_UPDATE1 : OVSDB_UPDATE2, line);)
        continue;
    ovsdb_bindings_done(&h.bindings);
    ovsdb_rows_done(&h.rows);
    FUZZ_CLAIM(!h.rows.n_bytes);
    free(text);
    return 0;
}
