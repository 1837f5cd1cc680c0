// The map: our own base (built from public-domain data, no tile server), and places as clustered points coloured by
// availability. Loaded only where a map is shown. It asks nobody anything but our own server for /map/*.json.
import { type GeoJSONSource, type LngLatBoundsLike, Map as MapLibre, type StyleSpecification, setWorkerUrl } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import type { PlaceSummary } from '../../api';

setWorkerUrl(workerUrl);

export interface View { west: number; south: number; east: number; north: number; lon: number; lat: number; zoom: number }
export interface PlaceMap {
  show(places: PlaceSummary[]): void;
  choose(place: PlaceSummary | null): void;
  fly(lon: number, lat: number): void;
  zoom(by: number): void;
  repaint(): void;
  remove(): void;
}

/** Germany, where most places of the shipped register are. */
const HOME: LngLatBoundsLike = [[5.5, 47.1], [15.3, 55.1]];
/** Streets are not in the base, so closer than this there is nothing to see. */
const ZOOM_MAX = 15;
const FONTS = ['system-ui'];

export function createMap(box: HTMLElement, on: { view: (view: View) => void; pick: (operator: string, location: string) => void }): PlaceMap {
  let places: PlaceSummary[] = [];
  let chosen: PlaceSummary | null = null;
  const labels = fetch('/map/places.json').then((answer) => answer.json() as Promise<Label[]>);
  const map = new MapLibre({
    container: box, style: style(), bounds: HOME, maxZoom: ZOOM_MAX, minZoom: 2, attributionControl: false,
    dragRotate: false, pitchWithRotate: false, touchPitch: false, renderWorldCopies: false, fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();

  const data = async (): Promise<void> => {
    source(map, 'places')?.setData(collection(places));
    source(map, 'chosen')?.setData(collection(chosen ? [chosen] : []));
    source(map, 'labels')?.setData(labelled(await labels));
  };
  const tell = (): void => {
    const bounds = map.getBounds();
    const { lng: lon, lat } = map.getCenter();
    on.view({ west: bounds.getWest(), south: bounds.getSouth(), east: bounds.getEast(), north: bounds.getNorth(), lon, lat, zoom: map.getZoom() });
  };
  map.on('style.load', () => { void data(); });
  map.on('moveend', tell);
  map.once('load', tell);
  map.on('click', 'points', ({ features }) => {
    const place = features?.[0]?.properties as { operator?: string; location?: string } | undefined;
    if (place?.operator && place.location) on.pick(place.operator, place.location);
  });
  map.on('click', 'clusters', async ({ features, lngLat }) => {
    const cluster = Number(features?.[0]?.properties['cluster_id']);
    const zoom = await source(map, 'places')?.getClusterExpansionZoom(cluster);
    map.easeTo({ center: lngLat, zoom: Math.min((zoom ?? map.getZoom() + 2) + 0.3, ZOOM_MAX) });
  });
  for (const layer of ['points', 'clusters']) {
    map.on('mouseenter', layer, () => { map.getCanvas().style.cursor = 'pointer'; });
    map.on('mouseleave', layer, () => { map.getCanvas().style.cursor = ''; });
  }
  return {
    show: (all) => { places = all; source(map, 'places')?.setData(collection(places)); },
    choose: (place) => { chosen = place; source(map, 'chosen')?.setData(collection(place ? [place] : [])); },
    fly: (lon, lat) => { map.easeTo({ center: [lon, lat], zoom: Math.max(map.getZoom(), 11) }); },
    zoom: (by) => { map.zoomTo(map.getZoom() + by); },
    repaint: () => { map.setStyle(style(), { diff: false }); },
    remove: () => map.remove(),
  };
}

export interface Picker {
  show(lon: number, lat: number, known: boolean): void;
  zoom(by: number): void;
  /** Takes the middle of what is shown, for whoever moves the map with the keyboard. */
  middle(): void;
  repaint(): void;
  remove(): void;
}

/** Close enough to tell one end of a town from the other. */
const PICK_ZOOM = 10;

/** A map on which one position is chosen. */
export function createPicker(box: HTMLElement, take: (lon: number, lat: number) => void): Picker {
  let at: [number, number] | null = null;
  const labels = fetch('/map/places.json').then((answer) => answer.json() as Promise<Label[]>);
  const map = new MapLibre({
    container: box, style: style(), bounds: HOME, maxZoom: ZOOM_MAX, minZoom: 2, attributionControl: false,
    dragRotate: false, pitchWithRotate: false, touchPitch: false, renderWorldCopies: false, fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.getCanvas().style.cursor = 'crosshair';
  const draw = (): void => {
    const features: GeoJSON.Feature[] = at ? [{ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: at } }] : [];
    source(map, 'chosen')?.setData({ type: 'FeatureCollection', features });
  };
  map.on('style.load', () => { draw(); void labels.then((all) => source(map, 'labels')?.setData(labelled(all))); });
  map.on('click', ({ lngLat }) => take(lngLat.lng, lngLat.lat));
  return {
    show: (lon, lat, known) => {
      const valid = known && Number.isFinite(lon) && Number.isFinite(lat) && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
      at = valid ? [lon, lat] : null;
      draw();
      if (at && !map.getBounds().contains(at)) map.jumpTo({ center: at, zoom: Math.max(map.getZoom(), PICK_ZOOM) });
      else if (at && map.getZoom() < PICK_ZOOM - 3) map.jumpTo({ center: at, zoom: PICK_ZOOM });
    },
    zoom: (by) => { map.zoomTo(map.getZoom() + by); },
    middle: () => { const { lng, lat } = map.getCenter(); take(lng, lat); },
    repaint: () => { map.setStyle(style(), { diff: false }); },
    remove: () => map.remove(),
  };
}

function source(map: MapLibre, id: string): GeoJSONSource | undefined { return map.getSource<GeoJSONSource>(id); }

type Label = [name: string, lon: number, lat: number, thousands: number];

function labelled(labels: Label[]): GeoJSON.FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: labels.map(([name, lon, lat, thousands], rank) => ({
      type: 'Feature', properties: { name, thousands, rank }, geometry: { type: 'Point', coordinates: [lon, lat] },
    })),
  };
}

function collection(places: PlaceSummary[]): GeoJSON.FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: places.map(({ operator, location, name, address, available, total, lat, lon }) => ({
      type: 'Feature', properties: { operator, location, name: name ?? address, available, total },
      geometry: { type: 'Point', coordinates: [Number(lon), Number(lat)] },
    })),
  };
}

/** Reads the colours of the page, so that the map follows the theme. */
function style(): StyleSpecification {
  const css = getComputedStyle(document.documentElement);
  const colour = (name: string) => css.getPropertyValue(name).trim();
  const none: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };
  const ring = { 'circle-stroke-width': 2, 'circle-stroke-color': colour('--sheet') };
  const some = (tone: string, empty: string): ['case', ['>', ['get', string], 0], string, string] => ['case', ['>', ['get', 'available'], 0], tone, empty];
  return {
    version: 8,
    sources: {
      land: { type: 'geojson', data: '/map/land.json', maxzoom: 10, tolerance: 0.3 },
      borders: { type: 'geojson', data: '/map/borders.json', maxzoom: 10 },
      labels: { type: 'geojson', data: none },
      chosen: { type: 'geojson', data: none },
      places: {
        type: 'geojson', data: none, cluster: true, clusterRadius: 46, clusterMaxZoom: 12,
        clusterProperties: { available: ['+', ['get', 'available']], total: ['+', ['get', 'total']] },
      },
    },
    layers: [
      { id: 'water', type: 'background', paint: { 'background-color': colour('--map-water') } },
      { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': colour('--map-land') } },
      { id: 'borders', type: 'line', source: 'borders', paint: { 'line-color': colour('--map-border'), 'line-width': ['interpolate', ['linear'], ['zoom'], 3, 0.6, 10, 1.6] } },
      {
        id: 'labels', type: 'symbol', source: 'labels',
        filter: ['>=', ['get', 'thousands'], ['step', ['zoom'], 3000, 4, 1000, 5, 400, 6, 150, 7, 60, 8, 25, 9, 10, 10, 4, 11, 1]],
        layout: {
          'text-field': ['get', 'name'], 'text-font': FONTS, 'symbol-sort-key': ['get', 'rank'], 'text-padding': 4, 'text-max-width': 8,
          'text-size': ['interpolate', ['linear'], ['get', 'thousands'], 4, 11, 200, 13, 2000, 15],
        },
        paint: { 'text-color': colour('--map-text'), 'text-halo-color': colour('--map-land'), 'text-halo-width': 1.4 },
      },
      {
        id: 'clusters', type: 'circle', source: 'places', filter: ['has', 'point_count'],
        paint: {
          ...ring, 'circle-color': some(colour('--good'), colour('--quiet')), 'circle-opacity': 0.92,
          'circle-radius': ['step', ['get', 'point_count'], 13, 10, 16, 100, 20, 1000, 26],
        },
      },
      {
        id: 'counts', type: 'symbol', source: 'places', filter: ['has', 'point_count'],
        layout: { 'text-field': ['get', 'point_count_abbreviated'], 'text-font': FONTS, 'text-size': 12, 'text-allow-overlap': true },
        paint: { 'text-color': colour('--sheet') },
      },
      {
        id: 'points', type: 'circle', source: 'places', filter: ['!', ['has', 'point_count']],
        paint: { ...ring, 'circle-color': some(colour('--good'), colour('--busy')), 'circle-radius': ['interpolate', ['linear'], ['zoom'], 5, 5, 12, 9] },
      },
      {
        id: 'names', type: 'symbol', source: 'places', filter: ['!', ['has', 'point_count']], minzoom: 10,
        layout: { 'text-field': ['get', 'name'], 'text-font': FONTS, 'text-size': 12, 'text-anchor': 'top', 'text-offset': [0, 0.9], 'text-max-width': 9, 'text-optional': true },
        paint: { 'text-color': colour('--ink'), 'text-halo-color': colour('--map-land'), 'text-halo-width': 1.6 },
      },
      { id: 'chosen', type: 'circle', source: 'chosen', paint: { 'circle-color': colour('--accent'), 'circle-radius': 12, 'circle-stroke-width': 4, 'circle-stroke-color': colour('--sheet') } },
    ],
  };
}
