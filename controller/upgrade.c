#include "controller/upgrade.h"

#include "controller/retired.h"
#include "controller/store/store.h"
#include "vnet/model/transaction.h"

#define LOG_MODULE "upgrade"
#include "base/log.h"

struct storing {
    struct error *err;
    bool is_done, ok;
};

static void
stored(void *aux, bool ok, const struct error *err)
{
    struct storing *s = aux;
    s->is_done = true;
    s->ok = ok;
    if (!ok)
        *s->err = *err;
}

static bool
store_upgrade(struct controller *c, struct transaction *t, struct error *err)
{
    struct storing s = { .err = err };
    struct store_commit commit = { .transaction = t, .who = "vnetd", .summary = "upgrade of what an older version stored" };
    store_submit(c->store, &commit, stored, &s);
    while (!s.is_done)
        event_base_loop(c->base, EVLOOP_ONCE);
    return s.ok;
}

bool
upgrade_intent(struct controller *c, struct error *err)
{
    struct transaction_origin origin = {
        .principal = { .role = PRINCIPAL_ADMIN, .name = "vnetd" },
        .now_ms = controller_wall_ms(),
        .random = controller_random,
    };
    size_t n = 0;
    struct transaction *t = transaction_begin(c->model, &origin);
    bool ok = transaction_upgrade(t, err) && transaction_finish(t, err);
    const struct change *changes = ok ? transaction_changes(t, &n) : NULL;
    if (n && (ok = store_upgrade(c, t, err))) {
        transaction_commit(t);
        retired_add(c->retired, changes, n);
        log_info("completed what an older version stored: %zu objects", n);
    }
    transaction_free(t);
    return ok || error_prefix(err, "the store's objects cannot be brought up to date");
}
