/* SPDX-License-Identifier: MIT */
#include "collect/budget.h"

enum { NS_PER_MS = 1000000 };

static const int64_t deep_debt_ns = -10 * NS_PER_MS;
static const uint64_t off_first_ns = 60ull * 1000 * NS_PER_MS, off_most_ns = 3600ull * 1000 * NS_PER_MS;

void budget_open(struct budget *budget, uint64_t sample_ns, uint64_t (*clock)(void))
{
	*budget = (struct budget){ .clock = clock, .sample_ns = sample_ns, .sharers = 1 };
}

void budget_renew(struct budget *budget, unsigned number)
{
	budget->account[number] = (struct budget_account){ 0 };
}

static bool is_off(const struct budget_account *account, uint64_t now_ns)
{
	return account->off_until_ns > now_ns;
}

static bool is_costly(const struct budget *budget, const struct budget_account *account)
{
	return account->known && account->cost_ns > budget->sample_ns / budget->sharers;
}

static bool gets_a_part(const struct budget *budget, const struct budget_account *account, uint64_t now_ns)
{
	return (is_costly(budget, account) || account->saved_ns < 0) && !is_off(account, now_ns);
}

void budget_sample(struct budget *budget, uint64_t now_ns)
{
	/* enough for the slowest reading that is still allowed, no more */
	const int64_t most = BUDGET_SLOW_NS;
	unsigned parts = 0;

	for (unsigned i = 0; i < BUDGET_ACCOUNTS_MAX; i++)
		parts += gets_a_part(budget, &budget->account[i], now_ns);
	for (unsigned i = 0; i < BUDGET_ACCOUNTS_MAX && budget->left_ns > 0; i++) {
		struct budget_account *account = &budget->account[i];

		if (!gets_a_part(budget, account, now_ns))
			continue;
		account->saved_ns += budget->left_ns / parts;
		if (account->saved_ns > most)
			account->saved_ns = most;
	}
	/* what nobody waits for is not kept */
	budget->left_ns = (int64_t)budget->sample_ns;
}

bool budget_begin(struct budget *budget, unsigned number)
{
	const struct budget_account *account = &budget->account[number];
	uint64_t now_ns = budget->clock();

	if (is_off(account, now_ns))
		return false;
	if (is_costly(budget, account) ? account->saved_ns < (int64_t)account->cost_ns : account->saved_ns < deep_debt_ns)
		return false;
	budget->began_ns = now_ns;
	return true;
}

bool budget_end(struct budget *budget, unsigned number)
{
	struct budget_account *account = &budget->account[number];
	uint64_t now_ns = budget->clock(), cost_ns = now_ns - budget->began_ns;
	bool first = !account->told;

	if (cost_ns > budget->sample_ns / budget->sharers)
		account->saved_ns -= (int64_t)cost_ns;
	else
		budget->left_ns -= (int64_t)cost_ns;
	account->cost_ns = account->known && account->last_ns < cost_ns ? account->last_ns : cost_ns;
	account->last_ns = cost_ns;
	account->known = true;
	account->read_ns = now_ns;
	if (cost_ns < BUDGET_SLOW_NS)
		return false;
	if (account->off_ns && now_ns - account->off_until_ns > off_most_ns)
		account->off_ns = 0;	/* it has been good for long */
	account->off_ns = account->off_ns ? account->off_ns * 2 : off_first_ns;
	if (account->off_ns > off_most_ns)
		account->off_ns = off_most_ns;
	account->off_until_ns = now_ns + account->off_ns;
	/* when it comes back it is tried at once, not when as much as it took has been saved */
	account->known = false;
	account->saved_ns = 0;
	account->told = true;
	return first;
}

uint32_t budget_age_ms(const struct budget *budget, unsigned number, uint64_t since_ns)
{
	const struct budget_account *account = &budget->account[number];
	uint64_t age_ms;

	if (!account->read_ns || account->read_ns >= since_ns)
		return 0;
	age_ms = (since_ns - account->read_ns) / NS_PER_MS;
	return age_ms < 1 ? 1 : age_ms < UINT32_MAX ? (uint32_t)age_ms : UINT32_MAX;
}
