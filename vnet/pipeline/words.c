#include "vnet/pipeline/words.h"

#include <stdio.h>

struct words
words_object(const struct view *view, enum object_type type, uint32_t number)
{
    struct words w;
    const struct object *o = model_get(view->model, number, type);
    if (o) {
        struct arena *arena = arena_new();
        snprintf(w.text, sizeof w.text, "'%s'", object_label(view->model, o, arena));
        arena_free(arena);
    } else {
        const struct object_class *class = object_class(type);
        snprintf(w.text, sizeof w.text, "%s number %u", class ? class->name : "object", number);
    }
    return w;
}

struct words
words_owner(const struct view *view, const struct spec *spec)
{
    return words_object(view, cookie_type(spec->cookie), cookie_number(spec->cookie));
}
