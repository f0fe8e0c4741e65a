"""The sending policy against a model of Stripe: seeded schedules in simulated time, replayed by their number.

Stripe, the network, the database and the workers are models; the rules are the portal's own (`portal.domain`). Taken
for granted: a request that has been written down reaches Stripe within two hours or never (a worker that sleeps over
its own request included), Stripe keeps a key for 24 hours at least, its list of a group leaves nothing out, and our
clock is at most three hours off. Reconciling is left out: what it settles, a webhook settles in the same way.
"""
