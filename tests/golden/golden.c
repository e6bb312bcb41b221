/* Golden tests: intent and facts in, named flows out. Each folder of cases holds intent.json and, per host, HOST.flows: what the host's
 * switch shall hold, one line a flow, with tables and owners by name. --accept rewrites them; the difference is then reviewed.
 *
 *     golden [--accept] [FOLDER-OF-CASES]         by default tests/golden/cases of $srcdir
 *
 * Then each feature is broken on purpose in several ways, and a case must differ: a feature without a golden case fails.
 *
 * intent.json: {"transactions": [[OP, ...], ...], "hosts": {NAME: {"encap_ip": IP, "encap": "geneve"|"vxlan", "mtu": N,
 * "tunnel_ports": [GENEVE, VXLAN], "uplinks": {NETWORK: OFPORT or [OFPORT, MTU]}, "gateway": true}}, "gateway_macs": {POOL: MAC},
 * "bindings": {"TENANT/PORT": [HOST, OFPORT]}, "twins": {"TENANT/PORT": [HOST, OFPORT, HAS-LEFT]}, "trails": {ELASTIC-IP: HOST},
 * "healthy": [TARGET, ...]} */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tests/golden/broken.h"
#include "tests/unit/vnet_lab.h"

enum mode { COMPARE, ACCEPT, EXPECT_DIFFERENCE };

struct text {
    char *p;
    size_t n;
};

static void
die(const char *what, const char *why)
{
    fprintf(stderr, "golden: %s: %s\n", what, why);
    exit(1);
}

static bool
text_read(const char *path, struct text *t)
{
    FILE *f = fopen(path, "r");
    *t = (struct text){ NULL, 0 };
    if (!f)
        return false;
    size_t cap = 0, n;
    do {
        t->p = mem_grow(t->p, &cap, t->n + 4097, 1);
        n = fread(t->p + t->n, 1, 4096, f);
        t->n += n;
    } while (n);
    t->p[t->n] = '\0';
    fclose(f);
    return true;
}

static void
text_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f))
        die(path, "cannot be written");
}

/* ---- a table as text ---- */

struct line {
    uint8_t table;
    uint16_t priority;
    char *text;
};

struct listing {
    const struct lab *lab;
    struct arena *arena;
    struct line *lines;
    size_t n, cap;
};

/* "goto_table:15" -> "goto:gateway" */
static char *
with_stage_names(struct arena *arena, char *text)
{
    static const char mark[] = "goto_table:";
    char *at = strstr(text, mark), *end;
    if (!at)
        return text;
    unsigned table = strtoul(at + strlen(mark), &end, 10);
    *at = '\0';
    return arena_printf(arena, "%sgoto:%s%s", text, stage_name(table), end);
}

static const char *
owner(const struct listing *l, uint64_t cookie)
{
    const struct object_class *class = object_class(cookie_type(cookie));
    const char *feature = feature_by_number(cookie_feature(cookie))->name;
    if (!class)
        return feature;
    if (class->is_hidden || !object_field(class, "error"))
        die(class->name, "has flows, but no column 'error' for what a switch refuses of them");
    const struct object *o = model_get(l->lab->model, cookie_number(cookie), OBJECT_NONE);
    const struct object *tenant = o && o->tenant ? model_get(l->lab->model, o->tenant, OBJECT_TENANT) : NULL;
    bool is_default = !tenant || !strcmp(tenant->name, "default");
    return arena_printf(l->arena, "%s %s %s%s%s", feature, class->name, is_default ? "" : tenant->name, is_default ? "" : "/",
                        lab_name(l->lab, cookie_number(cookie), l->arena));
}

static void
list_spec(void *aux, const struct spec *s)
{
    struct listing *l = aux;
    char *text = spec_format(s, l->arena), *actions;
    bool is_flow = s->kind == SPEC_FLOW;
    if (is_flow && (actions = strchr(text, ' ')) != NULL)
        text = with_stage_names(l->arena, actions + 1);
    l->lines = mem_grow(l->lines, &l->cap, l->n + 1, sizeof *l->lines);
    l->lines[l->n++] = (struct line){
        .table = is_flow ? s->table : UINT8_MAX,
        .priority = s->priority,
        .text = arena_printf(l->arena, "%-11s %-30s %s\n", is_flow ? stage_name(s->table) : "meter", owner(l, s->cookie), text),
    };
}

static int
compare_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->table != y->table)
        return x->table - y->table;
    if (x->priority != y->priority)
        return y->priority - x->priority;
    return strcmp(x->text, y->text);
}

static char *
table_text(const struct lab *lab, uint32_t host)
{
    struct listing l = { .lab = lab, .arena = arena_new() };
    flow_table_each(lab_table(lab, host), list_spec, &l);
    qsort(l.lines, l.n, sizeof *l.lines, compare_lines);

    size_t size = 1;
    for (size_t i = 0; i < l.n; i++)
        size += strlen(l.lines[i].text);
    char *text = mem_alloc(size), *p = text;
    *p = '\0';
    for (size_t i = 0; i < l.n; i++)
        p = stpcpy(p, l.lines[i].text);
    arena_free(l.arena);
    free(l.lines);
    return text;
}

/* ---- a case ---- */

static void
apply_transactions(struct lab *lab, const char *name, const json_t *transactions)
{
    size_t i;
    json_t *ops;
    struct error err;
    json_array_foreach (transactions, i, ops) {
        if (!lab_try(lab, ops, &err))
            die(name, err.text);
    }
}

static void
apply_hosts(struct lab *lab, const char *name, json_t *hosts)
{
    const char *host;
    json_t *facts;
    json_object_foreach (hosts, host, facts) {
        struct runtime_host h = { .mtu = json_member_int(facts, "mtu", 1500) };
        const char *encap = json_member_string(facts, "encap"), *ip = json_member_string(facts, "encap_ip");
        const json_t *ports = json_object_get(facts, "tunnel_ports");
        h.encap = encap && !strcmp(encap, "vxlan") ? ENCAP_VXLAN : ENCAP_GENEVE;
        for (size_t i = 0; i < 2; i++)
            h.tunnel_port[i] = json_integer_value(json_array_get(ports, i));
        if (!ip || !ip_parse(ip, &h.encap_ip))
            die(name, "a host's encap_ip is no address");
        const char *network;
        json_t *uplink;
        json_object_foreach (json_object_get(facts, "uplinks"), network, uplink) {
            const json_t *ofport = json_is_array(uplink) ? json_array_get(uplink, 0) : uplink;
            h = lab_with_uplink(h, network, json_integer_value(ofport), json_is_true(json_object_get(facts, "gateway")));
            h.uplinks[h.n_uplinks - 1].mtu = json_integer_value(json_array_get(uplink, 1));
        }
        lab_host(lab, host, h);
    }
}

static void
apply_gateway_macs(struct lab *lab, const char *name, json_t *macs)
{
    const char *pool;
    json_t *text;
    json_object_foreach (macs, pool, text) {
        struct mac mac;
        if (!json_is_string(text) || !mac_parse(json_string_value(text), &mac))
            die(name, "a gateway's MAC is none");
        lab_gateway_mac(lab, pool, mac);
    }
}

/* "TENANT/PORT" */
static uint32_t
port_named(struct lab *lab, const char *name, const char *port)
{
    const char *slash = strchr(port, '/');
    char tenant[64] = "default";
    if (slash)
        snprintf(tenant, sizeof tenant, "%.*s", (int) (slash - port), port);
    const struct object *o = model_find(lab->model, OBJECT_PORT, model_tenant(lab->model, tenant), slash ? slash + 1 : port);
    if (!o)
        die(name, "a place is that of no port");
    return o->number;
}

/* [HOST, OFPORT, ...] */
static struct binding
place_of(struct lab *lab, const char *name, const json_t *at)
{
    const char *host = json_string_value(json_array_get(at, 0));
    uint32_t number = host ? lab_number(lab, OBJECT_HOST, host) : 0;
    if (!number)
        die(name, "a place names no host");
    return (struct binding){ number, json_integer_value(json_array_get(at, 1)) };
}

static void
apply_bindings(struct lab *lab, const char *name, json_t *bindings)
{
    const char *port;
    json_t *at;
    json_object_foreach (bindings, port, at)
        lab_bind_number(lab, port_named(lab, name, port), place_of(lab, name, at));
}

static void
apply_twins(struct lab *lab, const char *name, json_t *twins)
{
    const char *port;
    json_t *at;
    json_object_foreach (twins, port, at) {
        struct binding place = place_of(lab, name, at);
        lab_set_twin(lab, port_named(lab, name, port), (struct twin){ place.host, place.ofport, json_is_true(json_array_get(at, 2)) });
    }
}

static void
apply_trails(struct lab *lab, const char *name, json_t *trails)
{
    const char *eip;
    json_t *host;
    json_object_foreach (trails, eip, host) {
        uint32_t number = lab_number(lab, OBJECT_EIP, eip), left = lab_number(lab, OBJECT_HOST, json_string_value(host));
        if (!number || !left)
            die(name, "a trail is of no elastic IP, or on no host");
        lab_set_trail(lab, number, left);
    }
}

static void
apply_health(struct lab *lab, const char *name, json_t *healthy)
{
    size_t i;
    json_t *target;
    json_array_foreach (healthy, i, target) {
        struct vnet_event event = { .kind = EVENT_TARGET, .number = lab_number(lab, OBJECT_TARGET, json_string_value(target)) };
        if (!event.number)
            die(name, "there is no such target");
        runtime_set_target_state(lab->runtime, event.number, TARGET_HEALTHY);
        compiler_changed(lab->compiler, &event, NULL, NULL);
    }
}

static struct lab *
case_load(const char *folder, bool is_sound)
{
    char *path = mem_printf("%s/intent.json", folder);
    struct text intent;
    struct error err;
    if (!text_read(path, &intent))
        die(path, "cannot be read");
    json_t *doc = json_parse(intent.p, intent.n, path, &err);
    if (!doc)
        die(path, err.text);

    struct lab *lab = lab_new();
    apply_hosts(lab, path, json_object_get(doc, "hosts"));
    apply_transactions(lab, path, json_object_get(doc, "transactions"));
    apply_gateway_macs(lab, path, json_object_get(doc, "gateway_macs"));
    apply_bindings(lab, path, json_object_get(doc, "bindings"));
    apply_twins(lab, path, json_object_get(doc, "twins"));
    apply_trails(lab, path, json_object_get(doc, "trails"));
    apply_health(lab, path, json_object_get(doc, "healthy"));
    lab_run(lab);
    if (is_sound && !lab_is_consistent(lab, &err))
        die(path, err.text);
    json_decref(doc);
    free(intent.p);
    free(path);
    return lab;
}

/* Says the first line that differs. */
static void
tell_difference(const char *path, const char *want, const char *got)
{
    unsigned line = 1;
    const char *w = want, *g = got;
    while (*w && *g && strcspn(w, "\n") == strcspn(g, "\n") && !strncmp(w, g, strcspn(w, "\n"))) {
        w += strcspn(w, "\n") + (*w != '\0');
        g += strcspn(g, "\n") + (*g != '\0');
        line++;
    }
    fprintf(stderr, "%s:%u: differs ('make golden-accept' rewrites it)\n- %.*s\n+ %.*s\n", path, line, (int) strcspn(w, "\n"), w,
            (int) strcspn(g, "\n"), g);
}

static bool
check_host(const char *folder, const struct lab *lab, uint32_t host, enum mode mode)
{
    struct text want;
    struct arena *arena = arena_new();
    char *path = arena_printf(arena, "%s/%s.flows", folder, lab_name(lab, host, arena));

    char *got = table_text(lab, host);
    bool is_read = text_read(path, &want), is_same = is_read && !strcmp(want.p, got);
    if (mode == ACCEPT && !is_same)
        text_write(path, got);
    else if (mode == COMPARE && !is_same)
        tell_difference(path, is_read ? want.p : "", got);
    free(want.p);
    free(got);
    arena_free(arena);
    return is_same || mode == ACCEPT;
}

static bool
run_case(const char *folder, enum mode mode)
{
    bool is_same = true;
    struct lab *lab = case_load(folder, mode != EXPECT_DIFFERENCE);
    for (unsigned i = 0; i < lab->n_hosts; i++)
        is_same &= check_host(folder, lab, lab->hosts[i].number, mode);
    if (mode != EXPECT_DIFFERENCE)
        printf("%s %s\n", is_same ? "ok  " : "FAIL", folder);
    lab_free(lab);
    return is_same;
}

struct cases {
    char **folders;
    int n;
};

static bool
run_cases(const struct cases *c, enum mode mode)
{
    bool are_same = true;
    for (int i = 0; i < c->n; i++)
        are_same &= run_case(c->folders[i], mode);
    return are_same;
}

/* Each feature, broken in each way, makes a difference in some case. */
static bool
breaks_are_noticed(const struct cases *c)
{
    unsigned n;
    bool all = true;
    const struct feature *const *features = feature_list(&n);
    for (unsigned i = 0; i < n; i++) {
        for (enum damage d = DAMAGE_NONE + 1; d < N_DAMAGES; d++) {
            broken_choose(features[i]->number, d);
            bool is_noticed = !run_cases(c, EXPECT_DIFFERENCE);
            printf("%s %s with %s is noticed\n", is_noticed ? "ok  " : "FAIL", features[i]->name, broken_name(d));
            all &= is_noticed;
        }
    }
    broken_choose(0, DAMAGE_NONE);
    return all;
}

static int
is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static char *
cases_folder(const char *given)
{
    const char *srcdir = getenv("srcdir");
    return given ? mem_strdup(given) : mem_printf("%s/tests/golden/cases", srcdir ? srcdir : ".");
}

static struct cases
cases_find(const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, is_case, alphasort);
    if (n <= 0)
        die(folder, "no cases there");
    struct cases c = { mem_alloc((size_t) n * sizeof *c.folders), n };
    for (int i = 0; i < n; i++) {
        c.folders[i] = mem_printf("%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return c;
}

int
main(int argc, char **argv)
{
    bool is_accepting = argc > 1 && !strcmp(argv[1], "--accept");
    char *folder = cases_folder(argv[1 + is_accepting]);
    struct cases c = cases_find(folder);
    bool ok = run_cases(&c, is_accepting ? ACCEPT : COMPARE) && (is_accepting || breaks_are_noticed(&c));
    for (int i = 0; i < c.n; i++)
        free(c.folders[i]);
    free(c.folders);
    free(folder);
    return ok ? 0 : 1;
}
