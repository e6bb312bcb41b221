#include "vnet/pipeline/layout.h"

const char *
reason_word(enum reason reason)
{
    static const char *const words[] = {
#define X(ID, NUMBER, WORD) [NUMBER] = WORD,
        REASON_LIST(X)
#undef X
    };
    return (unsigned) reason < REASON_MAX ? words[reason] : "";
}
