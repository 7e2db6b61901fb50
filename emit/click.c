/* SPDX-License-Identifier: MIT */
/*
 * A state machine over RFC 8259's grammar that keeps nothing but one key, one number and the kind of each level.
 * Between events it takes what stands there in an endless array; inside of one it takes exactly JSON.
 */
#include "emit/click.h"

#include "emit/words.h"

enum state {
	BETWEEN,	/* events */
	IGNORED,	/* up to the end of the line */
	FIRST_KEY, KEY, COLON, FIRST_VALUE, VALUE, AFTER,
	STRING, ESCAPE, HEX, LITERAL,
	/* numbers, by what stands before */
	SIGN, ZERO, DIGITS, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS,
};

enum key { OTHER_KEY, BUTTON_KEY, NAME_KEY };

static bool is_space(unsigned char b)
{
	return b == ' ' || b == '\t' || b == '\r' || b == '\n';
}

static bool is_digit(unsigned char b)
{
	return b >= '0' && b <= '9';
}

static bool is_hex(unsigned char b)
{
	return is_digit(b) || ((b | 0x20) >= 'a' && (b | 0x20) <= 'f');
}

static bool has_word(const struct click *c, const char *word)
{
	return c->length <= CLICK_WORD_MAX && word_is(word, c->word, c->length);
}

/* ---- levels */

static bool in_object(const struct click *c)
{
	return c->objects >> (c->depth - 1) & 1;
}

static bool open_level(struct click *c, bool object)
{
	if (c->depth == CLICK_DEPTH_MAX)
		return false;
	c->depth++;
	c->objects &= ~(1u << (c->depth - 1));
	c->objects |= (uint32_t)object << (c->depth - 1);
	c->state = object ? FIRST_KEY : FIRST_VALUE;
	return true;
}

static bool close_level(struct click *c, bool object)
{
	if (in_object(c) != object)
		return false;
	c->depth--;
	c->state = c->depth ? AFTER : BETWEEN;
	return true;
}

static bool open_event(struct click *c)
{
	*c = (struct click){ 0 };
	return open_level(c, true);
}

/* ---- values */

static bool begin_string(struct click *c, bool key)
{
	c->in_key = key;
	c->length = 0;
	c->state = STRING;
	return true;
}

static bool begin_literal(struct click *c, const char *rest)
{
	c->literal = rest;
	c->state = LITERAL;
	return true;
}

static bool begin_value(struct click *c, unsigned char b)
{
	switch (b) {
	case '"': return begin_string(c, false);
	case '{': return open_level(c, true);
	case '[': return open_level(c, false);
	case 't': return begin_literal(c, "rue");
	case 'f': return begin_literal(c, "alse");
	case 'n': return begin_literal(c, "ull");
	}
	c->number = is_digit(b) ? (uint32_t)(b - '0') : 0;
	c->plain = b != '-';
	c->state = b == '-' ? SIGN : b == '0' ? ZERO : DIGITS;
	return b == '-' || is_digit(b);
}

/* An escape makes a word none of ours: bars write ours without. */
static void add_to_word(struct click *c, unsigned char b, bool escaped)
{
	if (escaped || c->length >= CLICK_WORD_MAX)
		c->length = CLICK_WORD_MAX + 1;
	else
		c->word[c->length++] = (char)b;
}

static bool end_string(struct click *c, const char *name)
{
	c->state = c->in_key ? COLON : AFTER;
	if (c->depth != 1)
		return true;
	if (c->in_key)
		c->key = has_word(c, "button") ? BUTTON_KEY : has_word(c, "name") ? NAME_KEY : OTHER_KEY;
	else if (c->key == NAME_KEY)
		c->foreign = !has_word(c, name);
	return true;
}

/* False for a second button: which is meant? */
static bool end_number(struct click *c)
{
	c->state = AFTER;
	if (c->depth != 1 || c->key != BUTTON_KEY || !c->plain)
		return true;
	if (c->button)
		return false;
	c->button = c->number;
	return true;
}

static bool read_string(struct click *c, unsigned char b, const char *name)
{
	switch (c->state) {
	case STRING:
		if (b == '"')
			return end_string(c, name);
		if (b == '\\')
			c->state = ESCAPE;
		else
			add_to_word(c, b, false);
		return b >= ' ';
	case ESCAPE:
		add_to_word(c, b, true);
		c->hex = 4;
		c->state = b == 'u' ? HEX : STRING;
		return b == 'u' || b == '"' || b == '\\' || b == '/' || b == 'b' || b == 'f' || b == 'n' || b == 'r' ||
		       b == 't';
	default:
		if (!--c->hex)
			c->state = STRING;
		return is_hex(b);
	}
}

static bool read_after(struct click *c, unsigned char b)
{
	if (is_space(b))
		return true;
	if (b == ',') {
		c->state = in_object(c) ? KEY : VALUE;
		return true;
	}
	return (b == '}' || b == ']') && close_level(c, b == '}');
}

/* What a number's next byte makes of its state; AFTER: it has ended before; IGNORED: it is none. */
static enum state number_state(enum state state, unsigned char b)
{
	bool digit = is_digit(b), exponent = (b | 0x20) == 'e';

	switch (state) {
	case SIGN: return b == '0' ? ZERO : digit ? DIGITS : IGNORED;
	case ZERO: return b == '.' ? POINT : exponent ? EXPONENT : digit ? IGNORED : AFTER;
	case DIGITS: return digit ? DIGITS : b == '.' ? POINT : exponent ? EXPONENT : AFTER;
	case POINT: return digit ? FRACTION : IGNORED;
	case FRACTION: return digit ? FRACTION : exponent ? EXPONENT : AFTER;
	case EXPONENT: return b == '+' || b == '-' ? EXPONENT_SIGN : digit ? EXPONENT_DIGITS : IGNORED;
	case EXPONENT_SIGN: return digit ? EXPONENT_DIGITS : IGNORED;
	default: return digit ? EXPONENT_DIGITS : AFTER;
	}
}

static bool read_number(struct click *c, unsigned char b)
{
	enum state next = number_state(c->state, b);

	if (next == AFTER)
		return end_number(c) && read_after(c, b);
	if (next == DIGITS && (__builtin_mul_overflow(c->number, 10u, &c->number) ||
			       __builtin_add_overflow(c->number, (uint32_t)(b - '0'), &c->number)))
		c->plain = false;
	if (next != DIGITS && next != ZERO)
		c->plain = false;
	c->state = next;
	return next != IGNORED;
}

static bool read_literal(struct click *c, unsigned char b)
{
	if (*c->literal != (char)b)
		return false;
	c->literal++;
	if (!*c->literal)
		c->state = AFTER;
	return true;
}

/* False: this is no event. */
static bool read_byte(struct click *c, unsigned char b, const char *name)
{
	switch (c->state) {
	case BETWEEN: return is_space(b) || b == '[' || b == ',' || b == ']' || (b == '{' && open_event(c));
	case FIRST_KEY:
		if (b == '}')
			return close_level(c, true);
		return is_space(b) || (b == '"' && begin_string(c, true));
	case KEY: return is_space(b) || (b == '"' && begin_string(c, true));
	case COLON:
		if (b == ':')
			c->state = VALUE;
		return b == ':' || is_space(b);
	case FIRST_VALUE:
		if (b == ']')
			return close_level(c, false);
		return is_space(b) || begin_value(c, b);
	case VALUE: return is_space(b) || begin_value(c, b);
	case AFTER: return read_after(c, b);
	case STRING:
	case ESCAPE:
	case HEX: return read_string(c, b, name);
	case LITERAL: return read_literal(c, b);
	default: return read_number(c, b);
	}
}

uint32_t click_read(struct click *c, unsigned char byte, const char *name)
{
	bool inside = c->depth;

	if (c->state == IGNORED) {
		if (byte == '\n')
			*c = (struct click){ 0 };
		return 0;
	}
	if (!read_byte(c, byte, name) || (c->depth && ++c->size > CLICK_SIZE_MAX)) {
		*c = (struct click){ .state = byte == '\n' ? BETWEEN : IGNORED };
		return 0;
	}
	return inside && !c->depth && !c->foreign ? c->button : 0;
}

_Static_assert(CLICK_DEPTH_MAX <= 32, "a bit per level");
