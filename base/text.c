/* Names, addresses and error texts that a peer chose end in our log, on terminals and in answers. Here they lose
 * what would forge a second log line, steer a terminal, or be refused by a JSON encoder: error and log pass all
 * their text through, so that no other room has to think of it. */
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
text_hex_byte(const char *s)
{
    int high = hex_value(s[0]);
    int low = high < 0 ? -1 : hex_value(s[1]);
    return low < 0 ? -1 : high << 4 | low;
}

static bool
is_continuation(char c)
{
    return ((unsigned char) c & 0xc0) == 0x80;
}

/* The number of bytes that a first byte announces, and the bits of the character in it. */
static size_t
utf8_announced(unsigned char first, uint32_t *bits)
{
    if (first >= 0xc2 && first <= 0xdf) {
        *bits = first & 0x1f;
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *bits = first & 0x0f;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *bits = first & 0x07;
        return 4;
    }
    return 0;
}

size_t
text_utf8_length(const char *p)
{
    unsigned char first = *p;
    if (first < 0x80)
        return 1;

    uint32_t character;
    size_t n = utf8_announced(first, &character);
    for (size_t i = 1; i < n; i++) {
        if (!is_continuation(p[i]))
            return 0;
        character = character << 6 | (p[i] & 0x3f);
    }

    /* Overlong forms, surrogates and numbers past the last one are malformed too. */
    if (n == 3 && (character < 0x800 || (character >= 0xd800 && character <= 0xdfff)))
        return 0;
    if (n == 4 && (character < 0x10000 || character > 0x10ffff))
        return 0;
    return n;
}

/* C0, DEL, and C1 (U+0080 to U+009F), which some terminals obey as well. */
static bool
is_control(const char *p, size_t length)
{
    unsigned char c = *p;
    return length == 1 ? c < 0x20 || c == 0x7f : c == 0xc2 && (unsigned char) p[1] < 0xa0;
}

/* The next piece of 'in' as it is to be written: a character, or one byte's escape. '*used' says how much of 'in'
 * it stands for. */
static size_t
piece_next(const char *in, char piece[4], size_t *used)
{
    static const char hex[] = "0123456789abcdef";
    size_t length = text_utf8_length(in);
    if (length && !is_control(in, length)) {
        memcpy(piece, in, length);
        *used = length;
        return length;
    }

    unsigned char c = *in;
    memcpy(piece, (char[4]){ '\\', 'x', hex[c >> 4], hex[c & 15] }, 4);
    *used = 1;
    return 4;
}

size_t
text_escape(char *out, size_t size, const char *in)
{
    size_t n = 0, cut = 0; /* 'cut': where the dots go if the rest does not fit */
    while (*in) {
        char piece[4];
        size_t used, length = piece_next(in, piece, &used);
        if (n + length + 1 > size) {
            memcpy(out + cut, "...", 4);
            return cut + 3;
        }
        memcpy(out + n, piece, length);
        n += length;
        if (n + 4 <= size)
            cut = n;
        in += used;
    }
    out[n] = '\0';
    return n;
}
