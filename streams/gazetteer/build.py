"""Builds `gazetteer.msgpack.gz`: `python -m streams.gazetteer.build CITIES.csv.gz AIRPORTS.csv.gz`.

CITIES: geonameid, name, country, admin1, lat, lon, population, timezone, alternate_names (|) of GeoNames; AIRPORTS: iata, name,
city, subdivision, country, lat, lon, timezone. What people call the places stands in the tables beside this file.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from streams.gazetteer.inside import counties, kilometres, parts_of_cities
from streams.gazetteer.names import Index, plain
from streams.gazetteer.table import EVERYWHERE, LEVELS, NOWHERE, Row, Table

HERE = Path(__file__).parent
AIRPORT_CITY_KM = 45.0
TERRITORIES = {
    "America/Puerto_Rico": "country:PR",
    "Pacific/Guam": "country:GU",
    "Pacific/Pago_Pago": "country:AS",
    "America/St_Thomas": "country:VI",
}


def main(cities: str, airports: str) -> None:
    """Write the table beside this file."""
    builder = Builder(list(read_csv(cities)), list(read_csv(airports)))
    packed = msgspec.msgpack.encode(builder.table())
    path = HERE / "gazetteer.msgpack.gz"
    path.write_bytes(gzip.compress(packed, 9, mtime=0))
    print(f"{path.name}: {len(builder.rows):,} places, {path.stat().st_size:,} bytes")


def read_csv(path: str) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def read_tsv(name: str, columns: int) -> Iterator[list[str]]:
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield (line.split("\t") + [""] * columns)[:columns]


class Builder:
    """Rows in the order everywhere, nowhere, countries, regions, counties, cities, airports; parents stand before their children."""

    def __init__(self, cities: list[dict[str, str]], airports: list[dict[str, str]]) -> None:
        self.rows: list[Row] = [
            Row("everywhere", "Everywhere", "everywhere", -1, zone="UTC"),
            Row("nowhere", "No known place", "nowhere", -1, zone="UTC"),
        ]
        self.at: dict[str, int] = {}
        self.index = Index()
        cities.sort(key=lambda city: (-int(city["population"]), int(city["geonameid"])))
        self._countries(cities)
        self._regions(cities, airports)
        self._cities(cities)
        self._airports(airports)
        self._sum_up()
        self._name()

    def _add(self, row: Row) -> int:
        self.at[row.id] = len(self.rows)
        self.rows.append(row)
        return len(self.rows) - 1

    def _countries(self, cities: list[dict[str, str]]) -> None:
        biggest: dict[str, dict[str, str]] = {}
        for city in cities:
            biggest.setdefault(city["country"], city)
        for code, _, name, _ in read_tsv("countries.tsv", 4):
            if code in biggest:
                city = biggest[code]
                place = (float(city["lat"]), float(city["lon"]))
                self._add(Row(f"country:{code}", name, "country", EVERYWHERE, *place, 0, city["timezone"]))

    def _regions(self, cities: list[dict[str, str]], airports: list[dict[str, str]]) -> None:
        known = {(country, admin): (code, name) for country, admin, code, name, _ in read_tsv("regions.tsv", 5)}
        biggest: dict[tuple[str, str], dict[str, str]] = {}
        for city in cities:
            if city["admin1"] and f"country:{city['country']}" in self.at:
                biggest.setdefault((city["country"], city["admin1"]), city)
        called = region_names(cities, airports)
        self.region_of: dict[tuple[str, str], int] = {}
        for key in sorted(biggest):
            city, country = biggest[key], self.at[f"country:{key[0]}"]
            code, name = known.get(key, (key[1], called.get(key, f"{city['name']} area")))
            place = (float(city["lat"]), float(city["lon"]))
            row = Row(f"region:{key[0]}-{code}", name, "region", country, *place, 0, city["timezone"])
            self.region_of[key] = self._add(row)

    def _cities(self, cities: list[dict[str, str]]) -> None:
        kept: list[tuple[dict[str, str], Row]] = []
        for city in cities:
            parent = self.region_of.get(
                (city["country"], city["admin1"]), self.at.get(f"country:{city['country']}", -1)
            )
            if parent < 0:
                continue
            place = (float(city["lat"]), float(city["lon"]))
            row = Row(
                f"city:{city['geonameid']}",
                city["name"],
                "city",
                parent,
                *place,
                int(city["population"]),
                city["timezone"],
            )
            kept.append((city, row))
        whole = parts_of_cities({row.id: row for _, row in kept}, read_tsv("parts.tsv", 4))
        self.counties: list[int] = []
        for county, inside in counties(
            (row for _, row in kept if row.id not in whole), self.at, read_tsv("counties.tsv", 3)
        ):
            self.counties.append(self._add(county))
            for row in inside:
                row.parent = self.counties[-1]
        self.parts = [(city, row, whole[row.id]) for city, row in kept if row.id in whole]
        self.cities = [(city, self._add(row)) for city, row in kept if row.id not in whole]
        new_york = self.at.get("city:5128581")
        for borough in (5110302, 5133273, 5125771, 5110266, 5139568):
            if new_york is not None and (place_of := self.at.get(f"city:{borough}")) is not None:
                self.rows[place_of].parent = new_york

    def _airports(self, airports: list[dict[str, str]]) -> None:
        near: dict[str, list[int]] = defaultdict(list)
        for _, place in self.cities:
            if self.rows[self.rows[place].parent].level != "city":
                near[self.country(place)].append(place)
        self.airports: dict[str, int] = {}
        for airport in sorted(airports, key=lambda airport: airport["iata"]):
            country = self.at.get(f"country:{airport['country']}")
            if country is None or len(airport["iata"]) != 3:
                continue
            row = Row(f"airport:{airport['iata']}", airport["name"], "airport", country)
            row.lat, row.lon, row.zone = float(airport["lat"]), float(airport["lon"]), airport["timezone"]
            if airport["country"] == "US" and row.zone in TERRITORIES:
                country = self.at[TERRITORIES[row.zone]]
            row.parent = self._airport_parent(row, airport, near[self.rows[country].id], country)
            row.zone = row.zone or self.rows[row.parent].zone
            self.airports[airport["iata"]] = self._add(row)

    def _airport_parent(self, row: Row, airport: dict[str, str], near: Iterable[int], country: int) -> int:
        """The city it is named after, where that is near; else the region of the nearest city, else the country."""
        reach = [(kilometres(row, self.rows[city]), city) for city in near if abs(self.rows[city].lat - row.lat) < 2]
        wanted = {plain(airport["city"]), plain(airport["city"].split("-")[0]), plain(airport["city"]) + " city"} - {
            "",
            " city",
        }
        named = [
            (-self.rows[city].population, city)
            for km, city in reach
            if km < AIRPORT_CITY_KM and plain(self.rows[city].name) in wanted
        ]
        if named:
            return min(named)[1]
        if not reach:
            return country
        km, city = min(reach)
        return city if km < 12 else self._above(city, "region") or country if km < 200 else country

    def _above(self, place: int, level: str) -> int:
        while place > EVERYWHERE and self.rows[place].level != level:
            place = self.rows[place].parent
        return max(place, 0)

    def country(self, place: int) -> str:
        return self.rows[self._above(place, "country")].id

    def _sum_up(self) -> None:
        """The population of a region and a country is that of its cities in the table."""
        for _, place in self.cities:
            row = self.rows[place]
            if self.rows[row.parent].level != "city":
                self.rows[self._above(place, "country")].population += row.population
                if region := self._above(place, "region"):
                    self.rows[region].population += row.population

    def _name(self) -> None:
        index, rows = self.index, self.rows
        index.rows = rows
        for code, iso3, name, others in read_tsv("countries.tsv", 4):
            if (place := self.at.get(f"country:{code}")) is not None:
                index.country(place, code, iso3, [name, *others.split("|")])
        others_of = {
            f"region:{country}-{code}": others.split("|") for country, _, code, _, others in read_tsv("regions.tsv", 5)
        }
        for place in self.region_of.values():
            index.region(place, others_of.get(rows[place].id, []), named=rows[place].id in others_of)
        for place in sorted(self.counties, key=lambda place: (-rows[place].population, rows[place].id)):
            index.county(place)
        for city, place in self.cities:
            index.city(place, city["alternate_names"].split("|"))
        for city, row, whole in self.parts:
            index.part(self.at[whole], row, city["alternate_names"].split("|"))
        nicknames = [(self._find(target), target, kind, names) for target, kind, names in read_tsv("nicknames.tsv", 3)]
        if unknown := sorted({target for place, target, _, _ in nicknames if place < 0}):
            raise SystemExit(f"nicknames.tsv: no such places: {', '.join(unknown)}")
        for place, _, kind, names in nicknames:
            index.nickname(place, kind == "text", names.split("|"))
        for code, place in self.airports.items():
            index.airport(place, code)
        for code, kind, names, nearby in read_tsv("airports.tsv", 4):
            if code in self.airports:
                if nearby:
                    rows[self.airports[code]].parent = self._find(nearby)
                index.busy_airport(self.airports[code], code, kind == "bare", names.split("|"))

    def _find(self, target: str) -> int:
        if target in self.at:
            return self.at[target]
        if f"region:{target}" in self.at:
            return self.at[f"region:{target}"]
        country, region, name = target.split("/")
        above = self.at.get(f"region:{country}-{region}", self.at.get(f"country:{country}"))
        inside = [
            (city, place)
            for city, place in self.cities
            if above in (self._above(place, "region"), self._above(place, "country"))
        ]
        for city, place in inside:
            if plain(city["name"]) == plain(name):
                return place
        for city, place in inside:
            if plain(name) in map(plain, city["alternate_names"].split("|")):
                return place
        return -1

    def table(self) -> Table:
        zones = sorted({row.zone for row in self.rows})
        number = {zone: i for i, zone in enumerate(zones)}
        rows = self.rows
        assert rows[NOWHERE].id == "nowhere"
        return Table(
            ids=[row.id for row in rows],
            names=[row.name for row in rows],
            level=np.array([LEVELS.index(row.level) for row in rows], np.int8).tobytes(),
            parent=np.array([row.parent for row in rows], "<i4").tobytes(),
            lat=np.array([row.lat for row in rows], "<f4").tobytes(),
            lon=np.array([row.lon for row in rows], "<f4").tobytes(),
            population=np.array([row.population for row in rows], "<i4").tobytes(),
            zone=np.array([number[row.zone] for row in rows], "<i2").tobytes(),
            zones=zones,
            part_of=np.array([self.at[whole] for _, _, whole in self.parts], "<i4").tobytes(),
            part_lat=np.array([row.lat for _, row, _ in self.parts], "<f4").tobytes(),
            part_lon=np.array([row.lon for _, row, _ in self.parts], "<f4").tobytes(),
            **self.index.packed(),
        )


def region_names(cities: list[dict[str, str]], airports: list[dict[str, str]]) -> dict[tuple[str, str], str]:
    """The name most airports give the region of the city next to them, where no other region has more of them."""
    here: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for city in cities:
        here[city["country"]].append((float(city["lat"]), float(city["lon"]), city["admin1"]))
    votes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for airport in airports:
        lat, lon = float(airport["lat"]), float(airport["lon"])
        name = airport["subdivision"].strip().replace("-", " ")
        near = [
            ((lat - a) ** 2 + (lon - b) ** 2, admin) for a, b, admin in here[airport["country"]] if abs(lat - a) < 0.4
        ]
        if name and near and min(near)[0] < 0.16:
            votes[name, airport["country"]][min(near)[1]] += 1
    best: dict[tuple[str, str], tuple[int, str]] = {}
    for (name, country), count in votes.items():
        admin, times = count.most_common(1)[0]
        best[country, admin] = max(best.get((country, admin), (0, "")), (times, name))
    return {key: name for key, (_, name) in best.items()}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2])
