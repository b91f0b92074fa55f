"""The event log that people look through: filters by name, a page at a time, and a file of all that match.

What has no index is looked for among so many events a page, and no more, that every page comes at once.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

from tallystick.metering.event_store import EventPage, EventStore
from tallystick.metering.models import EventFilter, Listing
from tallystick.metering.usage import UsageReader, find_metric

LOOKED_AT = 20_000
"""Events that are looked at for one page."""

SEARCHED = 10_000
"""Events whose text is searched for one page, which takes more time for each."""

EXPORTED_AT_ONCE = 1000


class EventLog:
    """Raw events for people."""

    def __init__(self, store: EventStore, usage: UsageReader) -> None:
        self._store = store
        self._usage = usage

    async def filtered(self, wanted: EventFilter, metric: str | None) -> EventFilter:
        """The filter, narrowed to what a metric counts.

        Raises:
            NotFound: there is no such metric.
        """
        if metric is None:
            return wanted
        return replace(wanted, versions=find_metric(metric, await self._usage.metrics()))

    async def page(
        self, wanted: EventFilter, listing: Listing, *, limit: int, after: tuple[str, ...] | None = None
    ) -> EventPage:
        """A page of the events that match; shorter than `limit` where looking ended, see `EventPage.looked_to`.

        Raises:
            InvalidInput: the position is of another listing, or the sort does not go with the filter.
        """
        most = LOOKED_AT if wanted.text is None else SEARCHED
        return await self._store.events(wanted, limit=limit, after=after, listing=replace(listing, most=most))

    async def pages(self, wanted: EventFilter, listing: Listing) -> AsyncIterator[EventPage]:
        """All events that match, page by page, each read when it is asked for: memory holds one page.

        Raises:
            InvalidInput: the sort does not go with the filter.
        """
        after: tuple[str, ...] | None = None
        while True:
            page = await self.page(wanted, listing, limit=EXPORTED_AT_ONCE, after=after)
            yield page
            if (after := page.after) is None:
                return


async def begun(pages: AsyncIterator[EventPage]) -> AsyncIterator[EventPage]:
    """The same pages, the first of which is read already: what is wrong with the question is raised here.

    Raises:
        InvalidInput: the sort does not go with the filter.
    """
    first = await anext(pages)

    async def all_of_them() -> AsyncIterator[EventPage]:
        yield first
        async for page in pages:
            yield page

    return all_of_them()
